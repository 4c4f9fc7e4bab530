import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { toApiError } from "@/api/error";
import { spansQuery, traceQuery } from "@/api/queries";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/segmented";
import { Split } from "@/components/ui/split";
import { OpenNavigationButton } from "@/features/shell/navigation-context";
import { t } from "@/i18n";
import { lastSearch } from "@/lib/last-search";
import { preferences, usePreference } from "@/lib/preferences";
import { ancestors, buildTree, visibleRows, type SpanTree as Tree } from "@/lib/tree";
import { useHotkeys } from "@/lib/use-hotkeys";
import { useMedia } from "@/lib/use-media";
import { SpanPanel, SpanPanelSkeleton } from "./span-panel";
import { SpanTree, SpanTreeSkeleton } from "./span-tree";
import { TraceHeader, TraceHeaderSkeleton } from "./trace-header";

export const route = createLazyRoute("/app/projects/$projectId/traces/$traceId")({ component: TracePage });
const api = getRouteApi("/app/projects/$projectId/traces/$traceId");

/** A running trace is asked for again this often. */
const RUNNING_REFRESH_MS = 5000;
/** A trace that was opened before it was stored appears by itself. */
const MISSING_REFRESH_MS = 3000;

function TracePage() {
  const { projectId, traceId } = api.useParams();
  const trace = useQuery({
    ...traceQuery(projectId, traceId),
    refetchInterval: (query) => {
      if (query.state.error !== null) return toApiError(query.state.error).isNotFound ? MISSING_REFRESH_MS : false;
      return query.state.data?.end_time === null ? RUNNING_REFRESH_MS : false;
    },
  });
  const running = trace.data?.end_time === null;
  const name = trace.data?.name;
  useEffect(() => {
    document.title = `${name === undefined || name === "" ? t("traces.title") : name} · ${t("app.name")}`;
  }, [name]);

  if (trace.isError && trace.data === undefined) {
    const missing = toApiError(trace.error).isNotFound;
    return (
      <>
        <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3 md:px-4">
          <OpenNavigationButton />
          <Link to="/projects/$projectId/traces" params={{ projectId }} search={lastSearch(projectId)} className="text-accent hover:underline">
            {t("trace.back")}
          </Link>
        </div>
        <div className="min-h-0 flex-1 overflow-y-auto">
          {missing ? (
            <div role="alert" className="mx-auto flex max-w-lg flex-col items-start gap-2 p-6">
              <h1 className="text-base font-semibold">{t("trace.notFound.title")}</h1>
              <p className="text-muted">{t("trace.notFound.text")}</p>
              <code className="code max-w-full break-all">{traceId}</code>
              <Button className="mt-1" onClick={() => void trace.refetch()}>
                {t("action.retry")}
              </Button>
            </div>
          ) : (
            <ErrorNotice error={trace.error} onRetry={() => void trace.refetch()} />
          )}
        </div>
      </>
    );
  }
  return (
    <>
      {trace.data === undefined ? <TraceHeaderSkeleton /> : <TraceHeader trace={trace.data} />}
      <TraceBody
        // Another trace starts with nothing folded.
        key={traceId}
        projectId={projectId}
        traceId={traceId}
        running={running}
        total={trace.data?.span_count ?? 0}
      />
    </>
  );
}

interface TraceBodyProps {
  projectId: string;
  traceId: string;
  running: boolean;
  total: number;
}

function TraceBody({ projectId, traceId, running, total }: TraceBodyProps) {
  const spans = useInfiniteQuery({
    ...spansQuery(projectId, traceId),
    refetchInterval: running ? RUNNING_REFRESH_MS : false,
  });
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = spans;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);

  const pages = spans.data?.pages;
  const tree = useMemo(() => (pages === undefined ? null : buildTree(pages.flatMap((page) => page.items))), [pages]);

  if (spans.isError && tree === null) return <ErrorNotice error={spans.error} onRetry={() => void spans.refetch()} />;
  return (
    <>
      {isFetchNextPageError && (
        <p role="alert" className="flex items-center gap-2 border-b border-line bg-error-soft px-4 py-1.5 text-error">
          {toApiError(spans.error).message}
          <Button onClick={() => void fetchNextPage()}>{t("action.retry")}</Button>
        </p>
      )}
      <TracePanes projectId={projectId} traceId={traceId} tree={tree} total={total} loading={spans.isFetching} />
    </>
  );
}

interface TracePanesProps {
  projectId: string;
  traceId: string;
  /** Null while the first spans are on their way. */
  tree: Tree | null;
  total: number;
  loading: boolean;
}

function TracePanes({ projectId, traceId, tree, total, loading }: TracePanesProps) {
  const { span: wanted } = api.useSearch();
  const navigate = useNavigate();
  const wide = useMedia("(min-width: 768px)");
  const split = usePreference(preferences.split);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [pane, setPane] = useState<"tree" | "detail">(wanted === undefined ? "tree" : "detail");

  const fallback = tree?.roots[0]?.span.span_id ?? null;
  const selectedId = wanted !== undefined && tree?.byId.has(wanted) === true ? wanted : fallback;
  // A span that a link points to is never hidden inside a folded one.
  const collapsed = useMemo(() => {
    if (tree === null || selectedId === null || folded.size === 0) return folded;
    const above = ancestors(tree, selectedId).filter((id) => folded.has(id));
    if (above.length === 0) return folded;
    const open = new Set(folded);
    for (const id of above) open.delete(id);
    return open;
  }, [tree, folded, selectedId]);
  const rows = useMemo(() => (tree === null ? [] : visibleRows(tree, collapsed)), [tree, collapsed]);

  const select = useCallback(
    (span: string) => {
      void navigate({
        to: "/projects/$projectId/traces/$traceId",
        params: { projectId, traceId },
        search: { span },
        replace: true,
      });
    },
    [navigate, projectId, traceId],
  );
  const toggle = (id: string) => {
    const node = tree?.byId.get(id);
    if (tree === null || node === undefined || node.children.length === 0) return;
    const next = new Set(collapsed);
    if (next.delete(id)) {
      setFolded(next);
      return;
    }
    next.add(id);
    setFolded(next);
    // The selection would vanish inside: it moves up to what was folded.
    if (selectedId !== null && ancestors(tree, selectedId).includes(id)) select(id);
  };
  const collapseAll = (collapse: boolean) => {
    if (tree === null) return;
    if (!collapse) {
      setFolded(new Set());
      return;
    }
    const parents = [...tree.byId.values()].filter((node) => node.children.length > 0 && node.depth > 0);
    setFolded(new Set(parents.map((node) => node.span.span_id)));
    if (selectedId !== null) {
      // The top two levels stay in sight.
      const chain = [selectedId, ...ancestors(tree, selectedId)];
      const visible = chain.at(-2) ?? chain.at(-1);
      if (visible !== undefined && visible !== selectedId) select(visible);
    }
  };

  const step = (move: (index: number) => number): boolean => {
    const index = rows.findIndex((node) => node.span.span_id === selectedId);
    const target = rows[Math.min(rows.length - 1, Math.max(0, move(index)))];
    if (target !== undefined) select(target.span.span_id);
    return true;
  };
  const onKey = (key: string): boolean => {
    const node = selectedId === null ? undefined : tree?.byId.get(selectedId);
    switch (key) {
      case "j":
      case "ArrowDown":
        return step((index) => index + 1);
      case "k":
      case "ArrowUp":
        return step((index) => index - 1);
      case "Home":
        return step(() => 0);
      case "End":
        return step(() => rows.length - 1);
      case "ArrowRight":
        if (node === undefined || node.children.length === 0) return false;
        if (collapsed.has(node.span.span_id)) toggle(node.span.span_id);
        else step((index) => index + 1);
        return true;
      case "ArrowLeft":
        if (node === undefined) return false;
        if (node.children.length > 0 && !collapsed.has(node.span.span_id)) toggle(node.span.span_id);
        else if (node.depth > 0 && node.span.parent_span_id !== null) select(node.span.parent_span_id);
        return true;
      case "Enter":
        if (!wide) setPane("detail");
        return !wide;
      default:
        return false;
    }
  };
  const onPageKey = (event: KeyboardEvent) =>
    // Inside the panel the arrows scroll and move between tabs.
    event.target === document.body || event.key.length === 1 ? onKey(event.key) : false;
  useHotkeys({
    j: onPageKey,
    k: onPageKey,
    ArrowDown: onPageKey,
    ArrowUp: onPageKey,
    ArrowLeft: onPageKey,
    ArrowRight: onPageKey,
    Home: onPageKey,
    End: onPageKey,
    Escape: () => {
      if (!wide && pane === "detail") setPane("tree");
      else void navigate({ to: "/projects/$projectId/traces", params: { projectId }, search: lastSearch(projectId) });
      return true;
    },
  });

  const left =
    tree === null ? (
      <SpanTreeSkeleton />
    ) : (
      <SpanTree
        tree={tree}
        rows={rows}
        collapsed={collapsed}
        selectedId={selectedId}
        loaded={tree.byId.size}
        total={total}
        loading={loading}
        onSelect={(id) => {
          select(id);
          if (!wide) setPane("detail");
        }}
        onToggle={toggle}
        onCollapseAll={collapseAll}
        onKey={onKey}
      />
    );
  const selected = selectedId === null ? undefined : tree?.byId.get(selectedId);
  const right =
    selected === undefined ? (
      tree === null ? (
        <SpanPanelSkeleton />
      ) : (
        <p className="p-6 text-muted">{t("span.select")}</p>
      )
    ) : (
      <SpanPanel projectId={projectId} node={selected} />
    );

  if (wide) {
    return (
      <Split value={split} onChange={preferences.split.set} label={t("trace.resize")} left={left} right={right} />
    );
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex shrink-0 border-b border-line p-2">
        <Segmented
          label={t("trace.view")}
          value={pane}
          onChange={setPane}
          className="w-full *:flex-1 *:justify-center"
          options={[
            { value: "tree", label: t("trace.pane.tree") },
            { value: "detail", label: t("trace.pane.detail") },
          ]}
        />
      </div>
      {pane === "tree" ? left : right}
    </div>
  );
}

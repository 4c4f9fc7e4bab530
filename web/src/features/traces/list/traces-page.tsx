import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { FilterX } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Status } from "@/api/contract";
import { ErrorNotice } from "@/components/error-notice";
import { Button } from "@/components/ui/button";
import { Segmented } from "@/components/ui/segmented";
import { OpenNavigationButton } from "@/features/shell/navigation-context";
import { t } from "@/i18n";
import { formatCount } from "@/lib/format";
import { rememberSearch } from "@/lib/last-search";
import { DEFAULT_REFRESH, hasFilters, parseTraceSearch, type TraceSearch } from "@/lib/trace-search";
import { useHotkeys } from "@/lib/use-hotkeys";
import { ColumnMenu } from "./column-menu";
import { EmptyState } from "./empty-state";
import { EnvironmentPicker } from "./environment-picker";
import { NameFilter } from "./name-filter";
import { RangePicker } from "./range-picker";
import { RefreshControl } from "./refresh-control";
import { TraceTable, type TraceTableHandle } from "./trace-table";
import { useLiveTraces } from "./use-live-traces";

export const route = createLazyRoute("/app/projects/$projectId/traces")({ component: TracesPage });
const api = getRouteApi("/app/projects/$projectId/traces");

function TracesPage() {
  const { projectId } = api.useParams();
  const search = api.useSearch();
  const navigate = useNavigate();
  const table = useRef<TraceTableHandle>(null);
  const mayInsert = useRef(() => table.current?.mayInsert() ?? true);
  const filterInput = useRef<HTMLInputElement>(null);
  const [selectedId, setSelectedId] = useState<string | null>(null);

  const { rows, list, head, inserted, pendingCount, showPending } = useLiveTraces(projectId, search, mayInsert);

  useEffect(() => {
    document.title = `${t("traces.title")} · ${t("app.name")}`;
  }, []);
  useEffect(() => rememberSearch(projectId, search), [projectId, search]);

  const change = useCallback(
    (patch: Partial<TraceSearch>) => {
      void navigate({
        to: "/projects/$projectId/traces",
        params: { projectId },
        search: (previous) => parseTraceSearch({ ...previous, ...patch }),
        // Typing must not fill the history; every other change can be undone with "back".
        replace: "name" in patch,
      });
    },
    [navigate, projectId],
  );
  const changeName = useCallback((name: string) => change({ name: name === "" ? undefined : name }), [change]);

  const select = (step: number) => {
    const index = rows.findIndex((row) => row.trace_id === selectedId);
    const target = index < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, index + step));
    const row = rows[target];
    if (row === undefined) return;
    setSelectedId(row.trace_id);
    table.current?.scrollToRow(target);
  };
  useEffect(() => {
    if (selectedId !== null) document.getElementById(`trace-${selectedId}`)?.focus({ preventScroll: true });
  }, [selectedId]);
  useHotkeys({
    j: () => (select(1), true),
    k: () => (select(-1), true),
    ArrowDown: (event) => (event.target === document.body ? (select(1), true) : false),
    ArrowUp: (event) => (event.target === document.body ? (select(-1), true) : false),
    "/": () => {
      filterInput.current?.focus();
      filterInput.current?.select();
      return true;
    },
    Enter: (event) => {
      if (selectedId === null || (event.target instanceof Element && event.target.closest("a, button") !== null)) return false;
      void navigate({ to: "/projects/$projectId/traces/$traceId", params: { projectId, traceId: selectedId } });
      return true;
    },
  });

  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  const more = useCallback(() => {
    if (!isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage, isFetchNextPageError]);

  const environments = useMemo(() => [...new Set(rows.map((row) => row.environment))].filter(Boolean), [rows]);
  const scrollKey = JSON.stringify([projectId, search]);
  const failed = list.isError && rows.length === 0;
  const empty = list.isSuccess && !list.isPlaceholderData && rows.length === 0;

  return (
    <>
      <header className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-2 sm:h-12 sm:flex-nowrap sm:py-0 md:px-4">
        <OpenNavigationButton />
        <h1 className="text-base font-semibold">{t("traces.title")}</h1>
        {list.isSuccess && rows.length > 0 && (
          <span className="num truncate text-xs text-muted" aria-live="polite">
            {hasNextPage
              ? t("traces.countMore", { count: formatCount(rows.length) })
              : t("traces.count", { count: rows.length })}
          </span>
        )}
        <div className="ml-auto flex items-center gap-2">
          <RangePicker key={`${search.from ?? ""}${search.to ?? ""}`} search={search} onChange={change} />
          <EnvironmentPicker
            value={search.environment}
            seen={environments}
            onChange={(environment) => change({ environment })}
          />
          <RefreshControl
            value={search.refresh ?? DEFAULT_REFRESH}
            fixed={search.to !== undefined}
            busy={list.isFetching && !isFetchingNextPage}
            error={head.error}
            onChange={(refresh) => change({ refresh })}
            onRefresh={() => void (list.isError ? list.refetch() : head.refetch())}
          />
        </div>
      </header>
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-3 py-1.5 md:px-4">
        <NameFilter ref={filterInput} value={search.name ?? ""} onChange={changeName} />
        <Segmented<Status | "any">
          label={t("filter.status")}
          value={search.status ?? "any"}
          onChange={(status) => change({ status: status === "any" ? undefined : status })}
          options={[
            { value: "any", label: t("filter.statusAny") },
            { value: "ok", label: t("status.ok") },
            { value: "error", label: t("status.error") },
            { value: "unset", label: t("status.unset") },
          ]}
        />
        {hasFilters(search) && (
          <Button variant="ghost" onClick={() => change({ name: undefined, status: undefined, environment: undefined })}>
            <FilterX className="size-4" aria-hidden />
            {t("filter.clear")}
          </Button>
        )}
        <div className="ml-auto max-sm:hidden">
          <ColumnMenu />
        </div>
      </div>
      {failed ? (
        <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
      ) : empty ? (
        <div className="min-h-0 flex-1 overflow-y-auto">
          <EmptyState search={search} onChange={change} />
        </div>
      ) : (
        <TraceTable
          key={scrollKey}
          handle={table}
          rows={list.isPending ? undefined : rows}
          inserted={inserted}
          selectedId={selectedId}
          pendingCount={pendingCount}
          onShowPending={() => {
            showPending();
            table.current?.scrollToTop();
          }}
          hasMore={hasNextPage}
          onMore={more}
          outdated={list.isPlaceholderData}
          scrollKey={scrollKey}
          footer={
            <ListEnd
              loading={isFetchingNextPage}
              failed={isFetchNextPageError}
              done={!hasNextPage}
              onRetry={() => void fetchNextPage()}
            />
          }
        />
      )}
    </>
  );
}

interface ListEndProps {
  loading: boolean;
  failed: boolean;
  done: boolean;
  onRetry: () => void;
}

function ListEnd({ loading, failed, done, onRetry }: ListEndProps) {
  if (failed) {
    return (
      <p role="alert" className="flex h-12 items-center justify-center gap-2 text-error">
        {t("traces.moreFailed")}
        <Button onClick={onRetry}>{t("action.retry")}</Button>
      </p>
    );
  }
  if (loading) return <p className="flex h-12 items-center justify-center text-xs text-muted">{t("traces.loadingMore")}</p>;
  if (done) return <p className="flex h-12 items-center justify-center text-xs text-muted">{t("traces.end")}</p>;
  return null;
}

import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronsDownUp, ChevronsUpDown, Columns2, ChartGantt, ListTree } from "lucide-react";
import { useCallback, useEffect, useId, useMemo, useRef, type MouseEvent } from "react";
import { IconButton } from "@/components/ui/button";
import { Segmented } from "@/components/ui/segmented";
import { t } from "@/i18n";
import { formatCount } from "@/lib/format";
import { preferences, ROW_HEIGHT, usePreference } from "@/lib/preferences";
import { tickLabel, ticks } from "@/lib/timeline";
import type { SpanTree as Tree, TreeNode } from "@/lib/tree";
import { useWidth } from "@/lib/use-size";
import { SpanRow, type DetailView } from "./span-row";

interface SpanTreeProps {
  tree: Tree;
  rows: readonly TreeNode[];
  collapsed: ReadonlySet<string>;
  selectedId: string | null;
  /** Spans that are here, and that the trace has. */
  loaded: number;
  total: number;
  loading: boolean;
  onSelect: (spanId: string) => void;
  onToggle: (spanId: string) => void;
  onCollapseAll: (collapse: boolean) => void;
  onKey: (key: string) => boolean;
}

/** Room that the deepest level may take for guides. */
const INDENT_ROOM = 200;
/** Below this width there is no room for two columns. */
const BOTH_FROM = 420;
/** Pixels that the text of a mark needs. */
const MARK_ROOM = 44;

export function SpanTree(props: SpanTreeProps) {
  const { tree, rows, collapsed, selectedId, loaded, total, loading } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const base = useId();
  const width = useWidth(scroller);
  const density = usePreference(preferences.density);
  const preferred = usePreference(preferences.detailView);
  const view: DetailView = preferred === "both" && width > 0 && width < BOTH_FROM ? "tree" : preferred;
  const rowHeight = ROW_HEIGHT[density] - 4;

  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    // Stable functions: a new one makes the virtualiser measure every row anew.
    estimateSize: useCallback(() => rowHeight, [rowHeight]),
    getItemKey: useCallback((index: number) => rows[index]?.span.span_id ?? index, [rows]),
    overscan: 16,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);

  const selectedIndex = useMemo(
    () => (selectedId === null ? -1 : rows.findIndex((node) => node.span.span_id === selectedId)),
    [rows, selectedId],
  );
  useEffect(() => {
    if (selectedIndex >= 0) virtualizer.scrollToIndex(selectedIndex, { align: "auto" });
  }, [virtualizer, selectedIndex]);

  const deepest = useMemo(() => rows.reduce((most, node) => Math.max(most, node.depth), 0), [rows]);
  const indent = Math.max(3, Math.min(16, Math.floor(INDENT_ROOM / Math.max(1, deepest))));
  const nameWidth = view === "tree" ? "100%" : view === "both" ? "58%" : "32%";
  const axisWidth = view === "tree" ? 0 : width * (view === "both" ? 0.42 : 0.68);

  const length = tree.end - tree.start;
  const marks = ticks(length, Math.max(1, Math.floor(axisWidth / MARK_ROOM / 1.5)));

  const rowOf = (event: MouseEvent): { id: string; toggle: boolean } | null => {
    if (!(event.target instanceof Element)) return null;
    const id = event.target.closest<HTMLElement>("[data-span]")?.dataset.span;
    return id === undefined ? null : { id, toggle: event.target.closest("[data-toggle]") !== null };
  };
  const optionId = (spanId: string) => `${base}-${spanId}`;

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-9 shrink-0 items-center gap-1 border-b border-line pr-2 pl-3">
        <span className="num truncate text-xs text-muted" aria-live="polite">
          {loading && loaded < total
            ? t("trace.spansLoading", { count: formatCount(loaded), total: formatCount(total) })
            : t("trace.spans", { count: loaded })}
        </span>
        <span className="ml-auto flex items-center gap-0.5">
          <IconButton label={t("trace.expandAll")} onClick={() => props.onCollapseAll(false)}>
            <ChevronsUpDown className="size-4" aria-hidden />
          </IconButton>
          <IconButton label={t("trace.collapseAll")} onClick={() => props.onCollapseAll(true)}>
            <ChevronsDownUp className="size-4" aria-hidden />
          </IconButton>
          <Segmented
            label={t("trace.view")}
            value={view}
            onChange={preferences.detailView.set}
            className="ml-1"
            options={[
              { value: "tree", label: t("trace.view.tree"), icon: <ListTree className="size-4" aria-hidden /> },
              ...(width >= BOTH_FROM
                ? [{ value: "both" as const, label: t("trace.view.both"), icon: <Columns2 className="size-4" aria-hidden /> }]
                : []),
              { value: "timeline", label: t("trace.view.timeline"), icon: <ChartGantt className="size-4" aria-hidden /> },
            ]}
          />
        </span>
      </div>
      {view !== "tree" && (
        <div className="flex h-6 shrink-0 border-b border-line" aria-hidden>
          <div style={{ width: nameWidth }} className="shrink-0" />
          <Axis length={length} marks={marks.filter((mark) => (1 - mark / length) * axisWidth > MARK_ROOM - 8)} />
        </div>
      )}
      <div
        ref={scroller}
        role="tree"
        tabIndex={0}
        aria-label={t("trace.tree")}
        aria-activedescendant={selectedIndex >= 0 && selectedId !== null ? optionId(selectedId) : undefined}
        onClick={(event) => {
          const row = rowOf(event);
          if (row?.toggle === true) props.onToggle(row.id);
          else if (row !== null) props.onSelect(row.id);
        }}
        onDoubleClick={(event) => {
          const row = rowOf(event);
          if (row?.toggle === false) props.onToggle(row.id);
        }}
        onKeyDown={(event) => {
          if (!event.ctrlKey && !event.metaKey && !event.altKey && props.onKey(event.key)) event.preventDefault();
        }}
        className="@container min-h-0 flex-1 overflow-x-hidden overflow-y-auto focus-visible:-outline-offset-2"
      >
        <div role="presentation" className="relative" style={{ height: virtualizer.getTotalSize() }}>
          {view !== "tree" && (
            <div aria-hidden className="pointer-events-none absolute inset-y-0 right-0" style={{ left: nameWidth }}>
              {marks.slice(1).map((mark) => (
                <span
                  key={mark}
                  className="absolute inset-y-0 border-l border-line"
                  style={{ left: `${(mark / length) * 100}%` }}
                />
              ))}
            </div>
          )}
          {virtualizer.getVirtualItems().map((item) => {
            const node = rows[item.index];
            if (node === undefined) return null;
            const id = node.span.span_id;
            return (
              <div
                key={item.key}
                role="treeitem"
                id={optionId(id)}
                aria-level={node.depth + 1}
                aria-selected={id === selectedId}
                aria-expanded={node.children.length === 0 ? undefined : !collapsed.has(id)}
                data-span={id}
                className="absolute inset-x-0 top-0 cursor-pointer select-none"
                style={{ height: item.size, transform: `translateY(${item.start}px)` }}
              >
                <SpanRow
                  node={node}
                  collapsed={collapsed.has(id)}
                  selected={id === selectedId}
                  view={view}
                  indent={indent}
                  axisStart={tree.start}
                  axisEnd={tree.end}
                  nameWidth={nameWidth}
                />
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

/** Marks of the time line: milliseconds from the start of the trace. */
function Axis({ length, marks }: { length: number; marks: readonly number[] }) {
  return (
    <div className="relative min-w-0 flex-1 overflow-hidden border-l border-line">
      {marks.map((mark) => (
        <span
          key={mark}
          className="num absolute inset-y-0 flex items-center border-l border-line pl-1 text-2xs whitespace-nowrap text-muted first:border-l-0"
          style={{ left: `${(mark / length) * 100}%` }}
        >
          {tickLabel(mark)}
        </span>
      ))}
    </div>
  );
}

/** The tree while its spans are on their way. */
export function SpanTreeSkeleton() {
  return (
    <div className="flex flex-col" aria-hidden>
      <div className="flex h-9 items-center border-b border-line px-3">
        <span className="skeleton h-2.5 w-16" />
      </div>
      {[0, 1, 1, 2, 2, 1, 2, 3, 1, 1].map((depth, index) => (
        <div key={index} className="flex h-7 items-center gap-2 pr-4" style={{ paddingLeft: 12 + depth * 16 }}>
          <span className="skeleton size-3.5 rounded-full" />
          <span className="skeleton h-2.5" style={{ width: `${22 + ((index * 9) % 22)}%` }} />
          <span className="skeleton ml-auto h-2.5 w-10" />
        </div>
      ))}
    </div>
  );
}

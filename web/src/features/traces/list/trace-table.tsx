import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowUp } from "lucide-react";
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, type ReactNode, type Ref } from "react";
import type { TraceSummary } from "@/api/contract";
import { Button } from "@/components/ui/button";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { preferences, ROW_HEIGHT, usePreference } from "@/lib/preferences";
import { useNow } from "@/lib/use-now";
import { useWidth } from "@/lib/use-size";
import { gridTemplate, visibleColumns } from "./columns";
import { CardRow, SkeletonCard, SkeletonRow, TableRow } from "./trace-row";

const CARD_HEIGHT = 72;
const CARD_BELOW = 640;
/** Rows left below the view when the next page is asked for. */
const AHEAD = 20;
/** A row must not move while a hand is about to click it. */
const POINTER_REST_MS = 2500;

export interface TraceTableHandle {
  /** Whether rows may be put in at the top without moving what somebody looks at or points at. */
  mayInsert: () => boolean;
  scrollToTop: () => void;
  scrollToRow: (index: number) => void;
}

interface TraceTableProps {
  /** Undefined while the first page is on its way. */
  rows: readonly TraceSummary[] | undefined;
  inserted: ReadonlySet<string> | undefined;
  selectedId: string | null;
  pendingCount: number;
  onShowPending: () => void;
  hasMore: boolean;
  onMore: () => void;
  /** Older results stand in while new ones load. */
  outdated: boolean;
  footer: ReactNode;
  /** Remembers the scroll position of this list under this name. */
  scrollKey: string;
  handle: Ref<TraceTableHandle>;
}

const scrollOffsets = new Map<string, number>();

export function TraceTable(props: TraceTableProps) {
  const { rows, inserted, selectedId, pendingCount, hasMore, onMore, outdated, footer, scrollKey } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const pointerMovedAt = useRef(-Infinity);
  const width = useWidth(scroller);
  const density = usePreference(preferences.density);
  const chosen = usePreference(preferences.columns);
  const now = useNow(5000);

  const cards = width > 0 && width < CARD_BELOW;
  const columns = useMemo(() => visibleColumns(width, chosen), [width, chosen]);
  const template = useMemo(() => gridTemplate(columns), [columns]);
  const rowHeight = cards ? CARD_HEIGHT : ROW_HEIGHT[density];
  const count = rows?.length ?? 0;

  const virtualizer = useVirtualizer({
    count: count + 1,
    getScrollElement: () => scroller.current,
    // Stable functions: a new one makes the virtualiser measure every row anew.
    estimateSize: useCallback((index: number) => (index < count ? rowHeight : 48), [count, rowHeight]),
    getItemKey: useCallback((index: number) => rows?.[index]?.trace_id ?? "footer", [rows]),
    overscan: 12,
    initialOffset: () => scrollOffsets.get(scrollKey) ?? 0,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, rowHeight]);

  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const remember = () => scrollOffsets.set(scrollKey, element.scrollTop);
    const point = () => {
      pointerMovedAt.current = performance.now();
    };
    element.addEventListener("scroll", remember, { passive: true });
    element.addEventListener("pointermove", point, { passive: true });
    return () => {
      element.removeEventListener("scroll", remember);
      element.removeEventListener("pointermove", point);
    };
  }, [scrollKey]);

  const items = virtualizer.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && count > 0 && lastIndex >= count - AHEAD) onMore();
  }, [hasMore, onMore, count, lastIndex]);

  useImperativeHandle(
    props.handle,
    () => ({
      mayInsert: () =>
        (scroller.current?.scrollTop ?? 0) <= 1 && performance.now() - pointerMovedAt.current > POINTER_REST_MS,
      scrollToTop: () => scroller.current?.scrollTo({ top: 0 }),
      scrollToRow: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
    }),
    [virtualizer],
  );

  const longest = useMemo(() => (rows ?? []).reduce((most, row) => Math.max(most, row.duration ?? 0), 1), [rows]);
  const context = useMemo(() => ({ now, longest }), [now, longest]);

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {pendingCount > 0 && (
        <div className="pointer-events-none absolute inset-x-0 top-10 z-20 flex justify-center">
          <Button
            variant="primary"
            className="appear pointer-events-auto rounded-full px-3 shadow-float"
            onClick={props.onShowPending}
          >
            <ArrowUp className="size-3.5" aria-hidden />
            {pendingCount === Infinity ? t("traces.newMany") : t("traces.new", { count: pendingCount })}
          </Button>
        </div>
      )}
      <div
        ref={scroller}
        className="min-h-0 flex-1 overflow-auto"
        data-tips-below
        data-testid="trace-table"
      >
        <div role="table" aria-label={t("traces.table")} aria-rowcount={hasMore ? -1 : count + 1} aria-busy={rows === undefined}>
          {!cards && (
            <div
              role="row"
              aria-rowindex={1}
              className="sticky top-0 z-10 grid h-8 min-w-fit items-center border-b border-line bg-surface text-xs text-muted"
              style={{ gridTemplateColumns: template }}
            >
              <span role="columnheader">
                <span className="sr-only">{t("column.status")}</span>
              </span>
              <span role="columnheader">{t("column.name")}</span>
              {columns.map((column) => (
                <span
                  key={column.id}
                  role="columnheader"
                  className={cx("truncate pr-4", column.align === "right" && "text-right")}
                >
                  {t(column.label)}
                </span>
              ))}
            </div>
          )}
          {rows === undefined ? (
            <div role="presentation">
              {Array.from({ length: 24 }, (_, index) => (
                <div key={index} style={{ height: rowHeight }}>
                  {cards ? <SkeletonCard /> : <SkeletonRow columns={columns} template={template} index={index} />}
                </div>
              ))}
            </div>
          ) : (
            <div
              role="rowgroup"
              className={cx("relative transition-opacity duration-100", !cards && "min-w-fit", outdated && "opacity-50")}
              style={{ height: virtualizer.getTotalSize() }}
            >
              {items.map((item) => {
                const row = rows[item.index];
                const style = { height: item.size, transform: `translateY(${item.start}px)` };
                if (row === undefined) {
                  return (
                    <div key={item.key} className="absolute inset-x-0 top-0" style={style}>
                      {footer}
                    </div>
                  );
                }
                const selected = row.trace_id === selectedId;
                const fresh = inserted?.has(row.trace_id) ?? false;
                return (
                  <div
                    key={item.key}
                    role="row"
                    aria-rowindex={item.index + 2}
                    className={cx("absolute inset-x-0 top-0", !cards && "min-w-fit")}
                    style={style}
                    data-trace={row.trace_id}
                  >
                    {cards ? (
                      <CardRow row={row} selected={selected} fresh={fresh} context={context} />
                    ) : (
                      <TableRow
                        row={row}
                        selected={selected}
                        fresh={fresh}
                        context={context}
                        columns={columns}
                        template={template}
                        roomy={density === "roomy"}
                      />
                    )}
                  </div>
                );
              })}
            </div>
          )}
        </div>
      </div>
    </div>
  );
}

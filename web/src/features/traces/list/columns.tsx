import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { TraceSummary } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import type { Key } from "@/i18n";
import { t } from "@/i18n";
import {
  costTip,
  formatCost,
  formatCount,
  formatDuration,
  formatDurationExact,
  formatTokens,
  NONE,
} from "@/lib/format";
import { formatExact, formatRelative } from "@/lib/time";

/** What cells need besides the row. */
export interface CellContext {
  now: number;
  /** Nanoseconds: the longest duration among the rows on the page. */
  longest: number;
}

export interface Column {
  id: string;
  label: Key;
  /** Pixels. */
  width: number;
  align?: "right";
  /** Lower comes first when there is not room for all. */
  rank: number;
  cell: (row: TraceSummary, context: CellContext) => ReactNode;
}

/** JSON and line breaks are noise in one line of preview. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function Text({ value, tip }: { value: string | null; tip?: string }) {
  if (value === null || value === "") return <span className="text-muted">{NONE}</span>;
  return (
    <span className="truncate" data-tip={tip ?? value}>
      {value}
    </span>
  );
}

/** Several short values in one cell; those that do not fit are in the tip. */
function Several({ values }: { values: readonly string[] }) {
  const [first] = values;
  if (first === undefined) return <Text value={null} />;
  return (
    <span className="flex min-w-0 items-center gap-1" data-tip={values.join("\n")}>
      <span className="truncate">{first}</span>
      {values.length > 1 && <span className="num shrink-0 text-xs text-muted">+{values.length - 1}</span>}
    </span>
  );
}

/** In the order on the screen, after status and name. */
export const COLUMNS: readonly Column[] = [
  {
    id: "output",
    label: "column.output",
    width: 320,
    rank: 11,
    cell: (row) => <span className="truncate text-xs text-muted">{oneLine(row.output_preview)}</span>,
  },
  {
    id: "start",
    label: "column.start",
    width: 92,
    rank: 1,
    cell: (row, { now }) => (
      <time dateTime={row.start_time} data-tip={formatExact(row.start_time)} className="num truncate">
        {formatRelative(row.start_time, now)}
      </time>
    ),
  },
  {
    id: "duration",
    label: "column.duration",
    width: 128,
    rank: 2,
    cell: (row, { longest }) =>
      row.duration === null ? (
        <span className="text-accent">{t("status.running")}</span>
      ) : (
        <span className="flex w-full items-center gap-2" data-tip={formatDurationExact(row.duration)}>
          <span className="num w-[4.25rem] shrink-0 text-right">{formatDuration(row.duration)}</span>
          <span className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-hover" aria-hidden>
            <span
              className="block h-full rounded-full bg-bar-strong"
              style={{ width: `${Math.max(3, (row.duration / longest) * 100)}%` }}
            />
          </span>
        </span>
      ),
  },
  {
    id: "spans",
    label: "column.spans",
    width: 76,
    align: "right",
    rank: 5,
    cell: (row) => (
      <span className="num flex items-center gap-1.5">
        {row.error_span_count > 0 && (
          <span
            className="flex items-center gap-0.5 text-error"
            data-tip={t("trace.errors", { count: row.error_span_count })}
          >
            <TriangleAlert className="size-3" aria-hidden />
            {formatCount(row.error_span_count)}
            <span className="sr-only">{t("trace.errors", { count: row.error_span_count })}</span>
          </span>
        )}
        {formatCount(row.span_count)}
      </span>
    ),
  },
  {
    id: "tokens",
    label: "column.tokens",
    width: 128,
    align: "right",
    rank: 4,
    cell: (row) => <span className="num truncate">{formatTokens(row.input_tokens, row.output_tokens)}</span>,
  },
  {
    id: "cost",
    label: "column.cost",
    width: 90,
    align: "right",
    rank: 3,
    cell: (row) => (
      <span
        className={cx("num truncate", Number(row.total_cost) === 0 && "text-muted")}
        data-tip={costTip(row)}
      >
        {formatCost(row.total_cost)}
      </span>
    ),
  },
  {
    id: "models",
    label: "column.models",
    width: 136,
    rank: 6,
    cell: (row) => <Several values={row.models} />,
  },
  { id: "user", label: "column.user", width: 96, rank: 8, cell: (row) => <Text value={row.user_id} /> },
  { id: "session", label: "column.session", width: 96, rank: 9, cell: (row) => <Text value={row.session_id} /> },
  { id: "tags", label: "column.tags", width: 116, rank: 10, cell: (row) => <Several values={row.tags} /> },
  { id: "environment", label: "column.environment", width: 96, rank: 7, cell: (row) => <Text value={row.environment} /> },
];

/** Width of the status column, and the least that the name needs. */
const FIXED_WIDTH = 36;
const NAME_WIDTH = 280;

/** The columns to show: those chosen by hand, else as many as the width has room for, by rank. */
export function visibleColumns(width: number, chosen: readonly string[] | null): Column[] {
  if (chosen !== null) return COLUMNS.filter((column) => chosen.includes(column.id));
  let left = width - FIXED_WIDTH - NAME_WIDTH;
  const fitting = new Set<string>();
  for (const column of [...COLUMNS].sort((a, b) => a.rank - b.rank)) {
    // The output comes only where the name keeps as much room as it takes.
    left -= column.id === "output" ? column.width * 2 - NAME_WIDTH : column.width;
    if (left < 0) break;
    fitting.add(column.id);
  }
  return COLUMNS.filter((column) => fitting.has(column.id));
}

/** The value of grid-template-columns. */
export function gridTemplate(columns: readonly Column[]): string {
  return `${FIXED_WIDTH}px minmax(${NAME_WIDTH - 60}px, 1fr) ${columns.map((column) => `${column.width}px`).join(" ")}`;
}

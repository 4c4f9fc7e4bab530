import { useNavigate } from "@tanstack/react-router";
import { memo } from "react";
import type { TraceSummary } from "@/api/contract";
import { StatusIcon, statusLabel } from "@/components/status-icon";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { formatCost, formatDuration, formatTokens } from "@/lib/format";
import { formatExact, formatRelative } from "@/lib/time";
import { oneLine, type CellContext, type Column } from "./columns";

interface RowProps {
  row: TraceSummary;
  selected: boolean;
  fresh: boolean;
  context: CellContext;
}

/** The link of a row covers the row: click, middle click and "copy link" work anywhere on it. */
function NameLink({ row, className }: { row: TraceSummary; className?: string }) {
  const navigate = useNavigate();
  return (
    // A plain link: the router's own watches the location, which is too much for every row that scrolls by.
    <a
      href={`/projects/${encodeURIComponent(row.project_id)}/traces/${encodeURIComponent(row.trace_id)}`}
      id={`trace-${row.trace_id}`}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        void navigate({
          to: "/projects/$projectId/traces/$traceId",
          params: { projectId: row.project_id, traceId: row.trace_id },
        });
      }}
      className={cx(
        "truncate font-medium text-text outline-none after:absolute after:inset-0 after:content-[''] focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent",
        className,
      )}
    >
      {row.name === "" ? t("traces.unnamed") : row.name}
    </a>
  );
}

interface TableRowProps extends RowProps {
  columns: readonly Column[];
  template: string;
  roomy: boolean;
}

export const TableRow = memo(function TableRow({ row, selected, fresh, context, columns, template, roomy }: TableRowProps) {
  const input = oneLine(row.input_preview);
  return (
    <div
      className={cx(
        "relative grid h-full items-center border-b border-line hover:bg-hover",
        selected && "bg-selected hover:bg-selected",
        fresh && "fresh",
      )}
      style={{ gridTemplateColumns: template }}
    >
      <span role="cell" className="flex items-center justify-center" data-tip={statusLabel(row.status, row.end_time === null)}>
        <StatusIcon status={row.status} running={row.end_time === null} />
      </span>
      <span
        role="cell"
        className={cx("flex min-w-0 pr-4", roomy ? "flex-col leading-4" : "items-baseline gap-2.5")}
        data-tip={row.has_root ? undefined : t("traces.noRoot")}
      >
        <NameLink row={row} className={roomy ? undefined : "max-w-[60%] shrink-0"} />
        {input !== "" && <span className="min-w-0 truncate text-xs text-muted">{input}</span>}
      </span>
      {columns.map((column) => (
        <span
          key={column.id}
          role="cell"
          className={cx("flex min-w-0 items-center pr-4", column.align === "right" && "justify-end")}
        >
          {column.cell(row, context)}
        </span>
      ))}
    </div>
  );
});

/** A trace on a narrow screen: what it is, then what it took. */
export const CardRow = memo(function CardRow({ row, selected, fresh, context }: RowProps) {
  const running = row.end_time === null;
  const facts = [
    running ? null : formatDuration(row.duration),
    row.input_tokens + row.output_tokens > 0 ? formatTokens(row.input_tokens, row.output_tokens) : null,
    Number(row.total_cost) > 0 ? formatCost(row.total_cost) : null,
    row.environment,
  ].filter((fact) => fact !== null && fact !== "");
  return (
    <div
      role="cell"
      className={cx(
        "relative flex h-full items-center gap-2 border-b border-line px-3 py-2 hover:bg-hover",
        selected && "bg-selected",
        fresh && "fresh",
      )}
    >
      <StatusIcon status={row.status} running={running} className="shrink-0" />
      <div className="flex min-w-0 flex-1 flex-col justify-center">
        <div className="flex items-baseline justify-between gap-3">
          <NameLink row={row} />
          <time dateTime={row.start_time} data-tip={formatExact(row.start_time)} className="num shrink-0 text-xs text-muted">
            {formatRelative(row.start_time, context.now)}
          </time>
        </div>
        {oneLine(row.input_preview) !== "" && (
          <p className="truncate text-xs text-muted">{oneLine(row.input_preview)}</p>
        )}
        <p className="num truncate text-xs">{facts.join("  ·  ")}</p>
      </div>
    </div>
  );
});

/** The place of a row that is on its way. */
export function SkeletonRow({ columns, template, index }: { columns: readonly Column[]; template: string; index: number }) {
  return (
    <div className="grid h-full items-center border-b border-line" style={{ gridTemplateColumns: template }} aria-hidden>
      <span className="skeleton mx-auto size-4 rounded-full" />
      <span className="flex items-center gap-3 pr-4">
        <span className="skeleton h-3" style={{ width: `${18 + ((index * 7) % 14)}%` }} />
        <span className="skeleton h-2.5 opacity-60" style={{ width: `${25 + ((index * 11) % 30)}%` }} />
      </span>
      {columns.map((column) => (
        <span key={column.id} className={cx("flex pr-4", column.align === "right" && "justify-end")}>
          <span className="skeleton h-2.5" style={{ width: `${50 + ((index * 13 + column.width) % 40)}%` }} />
        </span>
      ))}
    </div>
  );
}

export function SkeletonCard() {
  return (
    <div className="flex h-full gap-2 border-b border-line px-3 py-3" aria-hidden>
      <span className="skeleton size-4 shrink-0 rounded-full" />
      <span className="flex flex-1 flex-col gap-2">
        <span className="skeleton h-3 w-2/5" />
        <span className="skeleton h-2.5 w-4/5 opacity-60" />
        <span className="skeleton h-2.5 w-3/5 opacity-60" />
      </span>
    </div>
  );
}

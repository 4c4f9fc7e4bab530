import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import type { TraceSummary } from "@/api/contract";
import { Chip } from "@/components/chip";
import { StatusIcon, statusLabel } from "@/components/status-icon";
import { CopyButton } from "@/components/ui/copy-button";
import { OpenNavigationButton } from "@/features/shell/navigation-context";
import { t } from "@/i18n";
import {
  costTip,
  formatCost,
  formatCount,
  formatDuration,
  formatDurationExact,
  formatTokens,
  shortId,
} from "@/lib/format";
import { lastSearch } from "@/lib/last-search";
import { formatExact, formatRelative, parseTime } from "@/lib/time";
import { useNow } from "@/lib/use-now";

/** A fact that can be copied, such as the id of a user. */
function CopyChip({ label, value }: { label: string; value: string | null }) {
  if (value === null || value === "") return null;
  return (
    <Chip label={label} tip={value}>
      <span className="max-w-40 truncate">{value}</span>
      <CopyButton text={value} label={t("trace.filterBy", { value: label })} className="-mr-1.5" />
    </Chip>
  );
}

export function TraceHeader({ trace }: { trace: TraceSummary }) {
  const now = useNow(5000);
  const running = trace.end_time === null;
  return (
    <header className="shrink-0 border-b border-line">
      <div className="flex h-11 items-center gap-2 px-3 md:px-4">
        <OpenNavigationButton />
        <Link
          to="/projects/$projectId/traces"
          params={{ projectId: trace.project_id }}
          search={lastSearch(trace.project_id)}
          aria-label={t("trace.back")}
          data-tip={t("trace.back")}
          className="-ml-1 inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <ArrowLeft className="size-4" aria-hidden />
        </Link>
        <StatusIcon status={trace.status} running={running} className="shrink-0" />
        <h1 className="min-w-0 truncate text-base font-semibold">{trace.name === "" ? t("traces.unnamed") : trace.name}</h1>
        <time
          dateTime={trace.start_time}
          data-tip={formatExact(trace.start_time)}
          className="num shrink-0 text-xs text-muted max-sm:hidden"
        >
          {formatRelative(trace.start_time, now)}
        </time>
        <span className="ml-auto flex shrink-0 items-center gap-1">
          <code className="code text-muted max-lg:hidden">{trace.trace_id}</code>
          <code className="code text-muted max-sm:hidden lg:hidden">{shortId(trace.trace_id)}</code>
          <CopyButton text={trace.trace_id} label={t("trace.copyId")} size="md" />
        </span>
      </div>
      <div
        className="flex gap-1.5 overflow-x-auto px-3 pb-2 [scrollbar-width:none] *:shrink-0 md:flex-wrap md:px-4 md:*:shrink"
        data-testid="trace-chips"
      >
        <Chip label={t("trace.chip.status")} tone={trace.status === "error" ? "error" : "plain"}>
          {statusLabel(trace.status, running)}
        </Chip>
        {running ? (
          <Chip label={t("trace.chip.duration")}>
            {t("trace.soFar", { duration: formatDuration(Math.max(0, now - parseTime(trace.start_time)) * 1e6) })}
          </Chip>
        ) : (
          <Chip label={t("trace.chip.duration")} tip={formatDurationExact(trace.duration)}>
            {formatDuration(trace.duration)}
          </Chip>
        )}
        <Chip label={t("trace.chip.cost")} tip={costTip(trace)}>
          {formatCost(trace.total_cost)}
        </Chip>
        <Chip label={t("trace.chip.tokens")} tip={usageTip(trace.usage_details)}>
          {formatTokens(trace.input_tokens, trace.output_tokens)}
        </Chip>
        <Chip label={t("trace.chip.spans")}>
          {formatCount(trace.span_count)}
          {trace.error_span_count > 0 && (
            <span className="text-error">({t("trace.errors", { count: trace.error_span_count })})</span>
          )}
        </Chip>
        {!trace.has_root && (
          <Chip label={t("traces.noRoot")} tone="warning">
            {null}
          </Chip>
        )}
        {trace.models.length > 0 && (
          <Chip label={t("trace.chip.models")} tip={trace.models.join("\n")}>
            <span className="max-w-60 truncate">{trace.models.join(", ")}</span>
          </Chip>
        )}
        <CopyChip label={t("trace.chip.user")} value={trace.user_id} />
        <CopyChip label={t("trace.chip.session")} value={trace.session_id} />
        <Chip label={t("trace.chip.environment")}>{trace.environment}</Chip>
        {trace.service_name !== "" && <Chip label={t("trace.chip.service")}>{trace.service_name}</Chip>}
        {trace.release !== null && trace.release !== "" && <Chip label={t("trace.chip.release")}>{trace.release}</Chip>}
        {trace.tags.map((tag) => (
          <span key={tag} className="inline-flex h-6 items-center rounded-md bg-hover px-2 text-xs whitespace-nowrap">
            #{tag}
          </span>
        ))}
      </div>
    </header>
  );
}

/** One line per kind of token, for hovering. */
export function usageTip(usage: Readonly<Record<string, number>>): string | undefined {
  const lines = Object.entries(usage).map(([kind, count]) => `${kind}: ${formatCount(count)}`);
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** The header while the trace is on its way. */
export function TraceHeaderSkeleton() {
  return (
    <header className="shrink-0 border-b border-line" aria-busy aria-label={t("trace.loading")}>
      <div className="flex h-11 items-center gap-3 px-4">
        <OpenNavigationButton />
        <span className="skeleton size-4 rounded-full" />
        <span className="skeleton h-3.5 w-48" />
      </div>
      <div className="flex gap-1.5 overflow-hidden px-4 pb-2">
        {[72, 96, 84, 120, 64, 140, 110].map((width) => (
          <span key={width} className="skeleton h-6 shrink-0" style={{ width }} />
        ))}
      </div>
    </header>
  );
}

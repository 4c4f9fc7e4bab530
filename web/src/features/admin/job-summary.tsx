import type { JobSummary } from "@/api/identity";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { formatWait } from "@/lib/countdown";
import { formatCount, NONE } from "@/lib/format";
import { countByStatus, JOB_STATUSES, type JobStatus } from "@/lib/job-search";

interface JobSummaryBarProps {
  summary: JobSummary | undefined;
  /** It could not be asked for. */
  failed: boolean;
  status: JobStatus | undefined;
  onStatus: (status: JobStatus | undefined) => void;
}

/** How many jobs stand where; each number filters the list. */
export function JobSummaryBar({ summary, failed, status, onStatus }: JobSummaryBarProps) {
  const counts = countByStatus(summary?.counts ?? []);
  const missing = failed ? NONE : undefined;
  return (
    <div className="grid grid-cols-2 overflow-hidden rounded-lg border border-line sm:grid-cols-4 lg:grid-cols-7">
      {JOB_STATUSES.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={status === name}
          onClick={() => onStatus(status === name ? undefined : name)}
          className="-mt-px -ml-px flex flex-col border-t border-l border-line px-3 py-2 text-left hover:bg-hover focus-visible:-outline-offset-2 aria-pressed:bg-selected"
        >
          <span className="text-xs text-muted">{t(`jobs.status.${name}`)}</span>
          <span className={cx("num text-lg font-semibold", name === "dead" && counts[name] > 0 && "text-error")}>
            {summary !== undefined ? formatCount(counts[name]) : failed ? NONE : <span className="skeleton my-1 block h-4 w-8" />}
          </span>
        </button>
      ))}
      <Figure label={t("jobs.oldest")} value={summary === undefined ? missing : summary.oldest_queued_seconds === null ? NONE : formatWait(summary.oldest_queued_seconds)} />
      <Figure label={t("jobs.runners")} value={summary === undefined ? missing : formatCount(summary.runners)} />
    </div>
  );
}

function Figure({ label, value }: { label: string; value: string | undefined }) {
  return (
    <div className="-mt-px -ml-px flex flex-col border-t border-l border-line px-3 py-2">
      <span className="truncate text-xs text-muted">{label}</span>
      <span className="num text-lg font-semibold">{value ?? <span className="skeleton my-1 block h-4 w-8" />}</span>
    </div>
  );
}

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { admin, type JobView } from "@/api/identity";
import { jobsQuery, jobSummaryQuery } from "@/api/identity-queries";
import { Badge, type Tone } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Select } from "@/components/ui/field";
import { Empty, SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { shortId } from "@/lib/format";
import { JOB_STATUSES, knownJobStatus, parseJobSearch, type JobSearch, type JobStatus } from "@/lib/job-search";
import { useAction } from "@/lib/use-action";
import { JobDialog } from "./job-dialog";
import { JobSummaryBar } from "./job-summary";

export const route = createLazyRoute("/app/admin/jobs")({ component: JobsPage });
const api = getRouteApi("/app/admin/jobs");

/** Jobs move by themselves: they are asked for again while the page is in sight. */
const REFRESH_MS = 5_000;

const TONES: Record<JobStatus, Tone> = { queued: "plain", running: "accent", done: "plain", dead: "error", cancelled: "warning" };

export function JobStatusBadge({ status }: { status: string }) {
  const known = knownJobStatus(status);
  return known === undefined ? <Badge tone="plain">{status}</Badge> : <Badge tone={TONES[known]}>{t(`jobs.status.${known}`)}</Badge>;
}

/** How far it is, where it says so. */
export function Progress({ job }: { job: JobView }) {
  const { progress_done: done, progress_total: total, progress_note: note } = job;
  if (total === null || total === 0) return note === null ? null : <span className="text-xs text-muted">{note}</span>;
  const share = Math.min(100, Math.round((done / total) * 100));
  return (
    <span className="flex items-center gap-2" data-tip={note ?? undefined}>
      <span
        role="progressbar"
        aria-label={t("jobs.progress")}
        aria-valuenow={share}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-1.5 w-20 overflow-hidden rounded-full bg-hover"
      >
        <span className="block h-full bg-bar-strong" style={{ width: `${share}%` }} />
      </span>
      <span className="num text-xs text-muted">{share} %</span>
    </span>
  );
}

function JobsPage() {
  const search = api.useSearch();
  const navigate = useNavigate();
  const [open, setOpen] = useState<string | null>(null);
  const summary = useQuery({ ...jobSummaryQuery(), refetchInterval: REFRESH_MS });
  const list = useInfiniteQuery({ ...jobsQuery(search), refetchInterval: REFRESH_MS });
  const stale = [["admin", "jobs"]];
  const retry = useAction((job: JobView) => admin.retryJob(job.id), { stale, done: (job) => t("jobs.retried", { kind: job.kind }) });
  const cancel = useAction((job: JobView) => admin.cancelJob(job.id), { stale, done: (job) => t("jobs.cancelled", { kind: job.kind }) });
  const change = (patch: JobSearch) => void navigate({ to: "/admin/jobs", search: (previous) => parseJobSearch({ ...previous, ...patch }) });
  const kinds = [...new Set([...(summary.data?.counts ?? []).map(({ kind }) => kind), ...(search.kind === undefined ? [] : [search.kind])])].sort();
  const columns: Column<JobView>[] = [
    {
      id: "kind",
      header: t("jobs.kind"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={
            <button type="button" className="hover:underline" onClick={() => setOpen(row.id)}>
              {row.kind}
            </button>
          }
          second={row.last_error !== null && row.status !== "done" ? <span className="text-error">{row.last_error}</span> : (row.key ?? <span className="code">{shortId(row.id)}</span>)}
        />
      ),
    },
    { id: "status", header: t("organization.status"), cell: (row) => <JobStatusBadge status={row.status} /> },
    { id: "progress", header: t("jobs.progress"), from: "md", cell: (row) => <Progress job={row} /> },
    {
      id: "attempts",
      header: t("jobs.attempts"),
      from: "lg",
      align: "right",
      cell: (row) => (
        <span className="num">
          {row.attempts} / {row.max_attempts}
        </span>
      ),
    },
    { id: "run", header: t("jobs.runAt"), from: "sm", cell: (row) => <Time value={row.finished_at ?? row.run_at} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      align: "right",
      cell: (row) => (
        <>
          {(row.status === "dead" || row.status === "cancelled") && (
            <Button disabled={retry.isPending} onClick={() => retry.mutate(row)} aria-label={`${t("action.retry")}: ${row.kind}`}>
              {t("action.retry")}
            </Button>
          )}
          {(row.status === "queued" || row.status === "running") && (
            <Button variant="ghost" disabled={cancel.isPending} onClick={() => cancel.mutate(row)} aria-label={`${t("action.cancel")}: ${row.kind}`}>
              {t("action.cancel")}
            </Button>
          )}
        </>
      ),
    },
  ];
  const filtered = search.status !== undefined || search.kind !== undefined;
  return (
    <SettingsPage title={t("admin.jobs")} description={t("jobs.text")} wide>
      <JobSummaryBar summary={summary.data} failed={summary.isError} status={search.status} onStatus={(status) => change({ status })} />
      <div className="flex flex-wrap items-center gap-2">
        <Select
          bare
          label={t("organization.status")}
          className="w-40"
          value={search.status ?? ""}
          onChange={(status) => change({ status: knownJobStatus(status) })}
          options={[{ value: "", label: t("jobs.anyStatus") }, ...JOB_STATUSES.map((status) => ({ value: status, label: t(`jobs.status.${status}`) }))]}
        />
        <Select
          bare
          label={t("jobs.kind")}
          className="w-52"
          value={search.kind ?? ""}
          onChange={(kind) => change({ kind: kind === "" ? undefined : kind })}
          options={[{ value: "", label: t("jobs.anyKind") }, ...kinds.map((kind) => ({ value: kind, label: kind }))]}
        />
      </div>
      <DataTable
        label={t("admin.jobs")}
        columns={columns}
        rows={list.data?.pages.flatMap((page) => page.items)}
        rowKey={(row) => row.id}
        error={list.error}
        onRetry={() => void list.refetch()}
        outdated={list.isPlaceholderData}
        more={list}
        onOpen={(row) => setOpen(row.id)}
        empty={
          <Empty title={t(filtered ? "jobs.noMatch" : "jobs.none")} text={t("jobs.noneText")}>
            {filtered && <Button onClick={() => change({ status: undefined, kind: undefined })}>{t("filter.clear")}</Button>}
          </Empty>
        }
      />
      {open !== null && <JobDialog id={open} onClose={() => setOpen(null)} />}
    </SettingsPage>
  );
}

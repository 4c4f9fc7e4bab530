import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { jobQuery } from "@/api/identity-queries";
import { ErrorNotice } from "@/components/error-notice";
import { JsonTree } from "@/components/json-tree";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonLines } from "@/components/ui/page";
import { t } from "@/i18n";
import { NONE } from "@/lib/format";
import { formatExact } from "@/lib/time";
import { JobStatusBadge, Progress } from "./jobs-page";

export function JobDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const job = useQuery(jobQuery(id));
  return (
    <Dialog open onClose={onClose} title={job.data?.kind ?? t("jobs.job")} className="w-[min(640px,calc(100vw-24px))]">
      {job.isPending ? (
        <SkeletonLines count={6} />
      ) : job.isError ? (
        <ErrorNotice error={job.error} onRetry={() => void job.refetch()} />
      ) : (
        <div className="flex flex-col gap-4">
          {job.data.last_error !== null && (
            <section>
              <h3 className="mb-1 text-xs text-muted">{t("jobs.lastError")}</h3>
              <pre className="code max-h-40 overflow-auto rounded-md bg-error-soft p-2 whitespace-pre-wrap text-error">{job.data.last_error}</pre>
            </section>
          )}
          <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
            <Fact name={t("organization.status")}>
              <JobStatusBadge status={job.data.status} />
            </Fact>
            <Fact name={t("jobs.progress")}>
              <Progress job={job.data} />
            </Fact>
            <Fact name={t("jobs.attempts")}>
              <span className="num">
                {job.data.attempts} / {job.data.max_attempts}
              </span>
            </Fact>
            <Fact name={t("jobs.id")}>
              <code className="code break-all">{job.data.id}</code> <CopyButton text={job.data.id} />
            </Fact>
            <Fact name={t("jobs.key")}>{job.data.key ?? NONE}</Fact>
            <Fact name={t("jobs.priority")}>{job.data.priority}</Fact>
            <Fact name={t("jobs.created")}>{formatExact(job.data.created_at)}</Fact>
            <Fact name={t("jobs.due")}>{formatExact(job.data.run_at)}</Fact>
            <Fact name={t("jobs.finished")}>{job.data.finished_at === null ? NONE : formatExact(job.data.finished_at)}</Fact>
          </dl>
          <section>
            <h3 className="mb-1 text-xs text-muted">{t("jobs.payload")}</h3>
            <JsonTree value={job.data.payload} className="rounded-md border border-line bg-sunken p-2" />
          </section>
        </div>
      )}
    </Dialog>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </>
  );
}

import type { JobStatus, JobSummary } from "@/api/identity";

export const JOB_STATUSES = ["queued", "running", "done", "dead", "cancelled"] as const satisfies JobStatus[];

export interface JobSearch {
  status?: JobStatus;
  kind?: string;
}

export function parseJobSearch(search: Record<string, unknown>): JobSearch {
  const status = JOB_STATUSES.find((known) => known === search.status);
  return {
    ...(status !== undefined && { status }),
    ...(typeof search.kind === "string" && search.kind !== "" && { kind: search.kind }),
  };
}

/** How many jobs of any kind have each status. */
export function countByStatus(counts: JobSummary["counts"]): Record<JobStatus, number> {
  const sums: Record<JobStatus, number> = { queued: 0, running: 0, done: 0, dead: 0, cancelled: 0 };
  for (const { status, count } of counts) sums[status] += count;
  return sums;
}

import type { JobSummary } from "@/api/identity";

export const JOB_STATUSES = ["queued", "running", "done", "dead", "cancelled"] as const;
/** The API calls it a text: a newer server may know others. */
export type JobStatus = (typeof JOB_STATUSES)[number];

export function knownJobStatus(status: unknown): JobStatus | undefined {
  return JOB_STATUSES.find((known) => known === status);
}

export interface JobSearch {
  status?: JobStatus;
  kind?: string;
}

export function parseJobSearch(search: Record<string, unknown>): JobSearch {
  const status = knownJobStatus(search.status);
  return {
    ...(status !== undefined && { status }),
    ...(typeof search.kind === "string" && search.kind !== "" && { kind: search.kind }),
  };
}

/** How many jobs of any kind have each status. */
export function countByStatus(counts: JobSummary["counts"]): Record<JobStatus, number> {
  const sums: Record<JobStatus, number> = { queued: 0, running: 0, done: 0, dead: 0, cancelled: 0 };
  for (const { status, count } of counts) {
    const known = knownJobStatus(status);
    if (known !== undefined) sums[known] += count;
  }
  return sums;
}

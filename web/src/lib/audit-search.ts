/** What the address of an audit log holds. */

export const AUDIT_RANGES = ["24h", "7d", "30d"] as const;
export type AuditRange = (typeof AUDIT_RANGES)[number];

/** What is done to something is written with one of these. */
export const AUDIT_TARGETS = [
  "api_key",
  "invitation",
  "job",
  "mail",
  "member",
  "model_price",
  "organization",
  "project",
  "repricing",
  "session",
  "setting",
  "user",
] as const;

export interface AuditSearch {
  action?: string;
  actor?: string;
  target?: string;
  project?: string;
  outcome?: string;
  range?: AuditRange;
}

const NAMES = ["action", "actor", "target", "project", "outcome"] as const;
const DAY_MS = 86_400_000;
const DAYS: Record<AuditRange, number> = { "24h": 1, "7d": 7, "30d": 30 };

export function parseAuditSearch(search: Record<string, unknown>): AuditSearch {
  const parsed: AuditSearch = {};
  for (const name of NAMES) {
    const value = search[name];
    if (typeof value === "string" && value !== "") parsed[name] = value;
  }
  const range = AUDIT_RANGES.find((known) => known === search.range);
  if (range !== undefined) parsed.range = range;
  return parsed;
}

export function auditRange(range: AuditRange | undefined, now: number): { start_time?: string } {
  return range === undefined ? {} : { start_time: new Date(now - DAYS[range] * DAY_MS).toISOString() };
}

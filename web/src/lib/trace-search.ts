/** What the trace list keeps in the URL. Defaults are left out, so that a plain link stays plain. */
import type { Status } from "@/api/contract";

export const RANGES = ["15m", "1h", "24h", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];
export const REFRESH = [0, 5, 15, 60] as const;
export type Refresh = (typeof REFRESH)[number];

export const DEFAULT_RANGE: Range = "24h";
export const DEFAULT_REFRESH: Refresh = 5;

export interface TraceSearch {
  range?: Range;
  /** RFC 3339; with `to` in place of `range`. */
  from?: string;
  to?: string;
  name?: string;
  status?: Status;
  environment?: string;
  /** Seconds between refreshes; 0 is off. */
  refresh?: Refresh;
}

const RANGE_MS: Record<Range, number> = {
  "15m": 15 * 60_000,
  "1h": 3_600_000,
  "24h": 86_400_000,
  "7d": 7 * 86_400_000,
  "30d": 30 * 86_400_000,
};

function oneOf<Value>(values: readonly Value[], value: unknown): Value | undefined {
  return values.find((candidate) => candidate === value);
}

function text(value: unknown): string | undefined {
  // The router reads ?name=42 as a number.
  const string = typeof value === "number" || typeof value === "boolean" ? String(value) : value;
  return typeof string === "string" && string.trim() !== "" ? string : undefined;
}

function time(value: unknown): string | undefined {
  const string = text(value);
  return string !== undefined && !Number.isNaN(Date.parse(string)) ? string : undefined;
}

/** Reads the search part of a URL, dropping whatever does not make sense. */
export function parseTraceSearch(search: Record<string, unknown>): TraceSearch {
  const from = time(search.from);
  const to = time(search.to);
  const range = oneOf(RANGES, search.range);
  const refresh = oneOf(REFRESH, typeof search.refresh === "string" ? Number(search.refresh) : search.refresh);
  const parsed: TraceSearch = {
    range: from === undefined && range !== DEFAULT_RANGE ? range : undefined,
    from,
    to: from === undefined ? undefined : to,
    name: text(search.name),
    status: oneOf<Status>(["ok", "error", "unset"], search.status),
    environment: text(search.environment),
    refresh: refresh === DEFAULT_REFRESH ? undefined : refresh,
  };
  return Object.fromEntries(Object.entries(parsed).filter(([, value]) => value !== undefined));
}

/** Whether anything besides time narrows the list. */
export function hasFilters(search: TraceSearch): boolean {
  return search.name !== undefined || search.status !== undefined || search.environment !== undefined;
}

/** The bounds to ask the server for, at the time `now` (milliseconds). An open range has no end. */
export function bounds(search: TraceSearch, now: number): { startTime: string; endTime?: string } {
  if (search.from !== undefined) {
    return {
      startTime: new Date(search.from).toISOString(),
      endTime: search.to === undefined ? undefined : new Date(search.to).toISOString(),
    };
  }
  return { startTime: new Date(now - RANGE_MS[search.range ?? DEFAULT_RANGE]).toISOString() };
}

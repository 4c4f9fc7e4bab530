import type { TraceSearch } from "./trace-search";

/** The filters that each project's list was left with, so that "back" from a trace finds them again. */
const searches = new Map<string, TraceSearch>();

export function rememberSearch(projectId: string, search: TraceSearch): void {
  searches.set(projectId, search);
}

export function lastSearch(projectId: string): TraceSearch {
  return searches.get(projectId) ?? {};
}

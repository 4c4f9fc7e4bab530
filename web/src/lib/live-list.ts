/** Bringing a fresh first page into a list that is paged by cursor, without doubling or losing rows. */
import type { TraceSummary } from "@/api/contract";
import type { Page } from "@/api/queries";
import { parseTime } from "./time";

export interface Merge {
  /** The pages with every known row brought up to date; the same object when nothing changed. */
  pages: Page<TraceSummary>[];
  /** Rows that are not in the pages and belong into their range, newest first. */
  fresh: TraceSummary[];
}

function newestFirst(a: TraceSummary, b: TraceSummary): number {
  return parseTime(b.start_time) - parseTime(a.start_time) || (a.trace_id < b.trace_id ? 1 : -1);
}

function sameRow(a: TraceSummary, b: TraceSummary): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Compares the newest rows with the pages on the screen. */
export function compareHead(pages: Page<TraceSummary>[], head: readonly TraceSummary[]): Merge {
  const known = new Map<string, TraceSummary>();
  for (const page of pages) for (const row of page.items) known.set(row.trace_id, row);
  const last = pages.at(-1);
  const oldest = last?.nextCursor == null ? undefined : last.items.at(-1);

  const fresh: TraceSummary[] = [];
  const changed = new Map<string, TraceSummary>();
  for (const row of head) {
    const before = known.get(row.trace_id);
    if (before === undefined) {
      // Older than the last page that was loaded: the cursor will bring it.
      if (oldest === undefined || newestFirst(row, oldest) < 0) fresh.push(row);
    } else if (!sameRow(before, row)) changed.set(row.trace_id, row);
  }
  if (changed.size === 0) return { pages, fresh };
  const updated = pages.map((page) =>
    page.items.some((row) => changed.has(row.trace_id))
      ? { ...page, items: page.items.map((row) => changed.get(row.trace_id) ?? row) }
      : page,
  );
  return { pages: updated, fresh };
}

/** Puts fresh rows where they belong by time. */
export function insertRows(pages: Page<TraceSummary>[], fresh: readonly TraceSummary[]): Page<TraceSummary>[] {
  if (fresh.length === 0) return pages;
  const [first, ...rest] = pages;
  if (first === undefined) return [{ items: [...fresh].sort(newestFirst), nextCursor: null }];
  const ids = new Set(fresh.map((row) => row.trace_id));
  // A row goes to the first page whose last row is older; the last page takes what is left.
  const all = [first, ...rest].map((page) => ({ ...page, items: page.items.filter((row) => !ids.has(row.trace_id)) }));
  const tails = all.map((page) => page.items.at(-1));
  for (const row of fresh) {
    const home = tails.findIndex((tail) => tail !== undefined && newestFirst(row, tail) < 0);
    all.at(home)?.items.push(row);
  }
  for (const page of all) page.items.sort(newestFirst);
  return all;
}

/** All rows of the pages, each trace once: a row that moved between two requests comes on two pages. */
export function flatten(pages: readonly Page<TraceSummary>[]): TraceSummary[] {
  const rows: TraceSummary[] = [];
  const seen = new Set<string>();
  for (const page of pages) {
    for (const row of page.items) {
      if (seen.has(row.trace_id)) continue;
      seen.add(row.trace_id);
      rows.push(row);
    }
  }
  return rows;
}

/** Whether the head may have missed rows: it is full, and none of its rows was known before. */
export function hasGap(pages: readonly Page<TraceSummary>[], head: Page<TraceSummary>): boolean {
  if (head.nextCursor === null || pages.every((page) => page.items.length === 0)) return false;
  const known = new Set(flatten(pages).map((row) => row.trace_id));
  return !head.items.some((row) => known.has(row.trace_id));
}

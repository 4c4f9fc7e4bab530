import { describe, expect, it } from "vitest";
import type { TraceSummary } from "@/api/contract";
import type { Page } from "@/api/queries";
import { compareHead, flatten, hasGap, insertRows } from "./live-list";

function row(id: string, second: number, extra: Partial<TraceSummary> = {}): TraceSummary {
  const start = new Date(Date.UTC(2026, 10, 22, 10, 0, second)).toISOString();
  return { trace_id: id, start_time: start, span_count: 1, ...extra } as TraceSummary;
}
const page = (items: TraceSummary[], nextCursor: string | null = null): Page<TraceSummary> => ({ items, nextCursor });
const ids = (rows: TraceSummary[]) => rows.map((one) => one.trace_id);

describe("compareHead", () => {
  it("finds what is new and leaves the pages alone when nothing changed", () => {
    const pages = [page([row("b", 20), row("a", 10)])];
    const merge = compareHead(pages, [row("c", 30), row("b", 20)]);
    expect(ids(merge.fresh)).toEqual(["c"]);
    expect(merge.pages).toBe(pages);
  });

  it("brings known rows up to date in place", () => {
    const merge = compareHead([page([row("b", 20), row("a", 10)])], [row("b", 20, { span_count: 7 })]);
    expect(merge.fresh).toEqual([]);
    expect(merge.pages[0]?.items.map((one) => one.span_count)).toEqual([7, 1]);
  });

  it("leaves rows older than the last page to the cursor", () => {
    const merge = compareHead([page([row("b", 20)], "next")], [row("b", 20), row("old", 5)]);
    expect(merge.fresh).toEqual([]);
  });

  it("takes older rows when there is no further page", () => {
    expect(ids(compareHead([page([row("b", 20)])], [row("b", 20), row("late", 5)]).fresh)).toEqual(["late"]);
  });

  it("fills a list that was empty", () => {
    const merge = compareHead([page([])], [row("a", 1)]);
    expect(ids(flatten(insertRows(merge.pages, merge.fresh)))).toEqual(["a"]);
  });
});

describe("insertRows", () => {
  const pages = [page([row("f", 60), row("d", 40)], "1"), page([row("c", 30), row("a", 10)], "2")];

  it("puts new rows on top", () => {
    expect(ids(flatten(insertRows(pages, [row("h", 80), row("g", 70)])))).toEqual(["h", "g", "f", "d", "c", "a"]);
  });

  it("puts late rows where they belong, also on a later page", () => {
    const next = insertRows(pages, [row("b", 20), row("e", 50)]);
    expect(ids(flatten(next))).toEqual(["f", "e", "d", "c", "b", "a"]);
    expect(next.map((one) => one.nextCursor)).toEqual(["1", "2"]);
  });

  it("does not double a row that is already there", () => {
    expect(ids(flatten(insertRows(pages, [row("f", 60)])))).toEqual(["f", "d", "c", "a"]);
  });

  it("starts a list", () => {
    expect(ids(flatten(insertRows([], [row("a", 1), row("b", 2)])))).toEqual(["b", "a"]);
  });
});

describe("paging", () => {
  it("shows a row once that came on two pages", () => {
    expect(ids(flatten([page([row("b", 2), row("a", 1)], "x"), page([row("a", 1), row("z", 0)])]))).toEqual(["b", "a", "z"]);
  });

  it("sees that rows between head and list are missing", () => {
    const pages = [page([row("a", 1)], "x")];
    expect(hasGap(pages, page([row("z", 50), row("y", 49)], "more"))).toBe(true);
    expect(hasGap(pages, page([row("z", 50), row("a", 1)], "more"))).toBe(false);
    expect(hasGap(pages, page([row("z", 50)], null))).toBe(false);
    expect(hasGap([page([])], page([row("z", 50)], "more"))).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import { bounds, hasFilters, parseTraceSearch } from "./trace-search";

describe("parseTraceSearch", () => {
  it("keeps a plain link plain", () => {
    expect(parseTraceSearch({ range: "24h", refresh: 5, name: " ", status: "" })).toEqual({});
  });

  it("drops what makes no sense", () => {
    expect(parseTraceSearch({ range: "5y", refresh: 3, status: "sad", from: "yesterday", other: 1 })).toEqual({});
  });

  it("reads what the router took for numbers", () => {
    expect(parseTraceSearch({ name: 42, refresh: "0" })).toEqual({ name: "42", refresh: 0 });
  });

  it("lets a custom range win over a preset, and needs a start for an end", () => {
    const from = "2026-11-20T00:00:00.000Z";
    expect(parseTraceSearch({ from, range: "1h" })).toEqual({ from });
    expect(parseTraceSearch({ to: from })).toEqual({});
  });
});

describe("bounds", () => {
  const now = Date.parse("2026-11-22T10:00:00Z");

  it("counts back from now without an end", () => {
    expect(bounds({}, now)).toEqual({ startTime: "2026-11-21T10:00:00.000Z" });
    expect(bounds({ range: "15m" }, now)).toEqual({ startTime: "2026-11-22T09:45:00.000Z" });
  });

  it("takes a custom range as it is", () => {
    expect(bounds({ from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" }, now)).toEqual({
      startTime: "2026-11-20T00:00:00.000Z",
      endTime: "2026-11-21T00:00:00.000Z",
    });
  });
});

it("does not count the time as a filter", () => {
  expect(hasFilters({ range: "1h" })).toBe(false);
  expect(hasFilters({ status: "error" })).toBe(true);
});

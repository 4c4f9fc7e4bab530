import { describe, expect, it } from "vitest";
import type { SpanSummary } from "@/api/contract";
import { ancestors, buildTree, visibleRows } from "./tree";

const ZERO = Date.parse("2026-11-22T10:00:00Z");

function span(id: string, parent: string | null, startMs: number, extra: Partial<SpanSummary> = {}): SpanSummary {
  return {
    span_id: id,
    trace_id: "t",
    parent_span_id: parent,
    is_root: parent === null,
    name: id,
    type: "span",
    kind: "",
    level: "",
    status: "unset",
    status_code: 0,
    status_message: "",
    start_time: new Date(ZERO + startMs).toISOString(),
    end_time: null,
    duration: 10e6,
    completion_start_time: null,
    model: null,
    provider: null,
    service_name: "",
    environment: "default",
    user_id: null,
    session_id: null,
    input_tokens: 0,
    output_tokens: 0,
    total_tokens: 0,
    usage_details: {},
    total_cost: "0",
    input_length: 0,
    output_length: 0,
    input_preview: "",
    output_preview: "",
    flags: [],
    ...extra,
  };
}

const ids = (nodes: { span: SpanSummary }[]) => nodes.map((node) => node.span.span_id);

describe("buildTree", () => {
  it("orders children by start, whatever the order of arrival", () => {
    const tree = buildTree([span("c", "a", 30), span("a", null, 0), span("d", "b", 12), span("b", "a", 10)]);
    expect(ids(visibleRows(tree, new Set()))).toEqual(["a", "b", "d", "c"]);
    expect(tree.byId.get("d")?.depth).toBe(2);
    expect(tree.byId.get("a")?.descendants).toBe(3);
  });

  it("shows a span without its parent at the top, marked", () => {
    const tree = buildTree([span("root", null, 0), span("lost", "missing", 5), span("below", "lost", 6)]);
    expect(ids(tree.roots)).toEqual(["root", "lost"]);
    expect(tree.byId.get("lost")?.oddity).toBe("orphan");
    expect(tree.byId.get("below")?.oddity).toBeNull();
    expect(tree.byId.get("below")?.depth).toBe(1);
  });

  it("cuts a ring above its earliest span and keeps every span", () => {
    const tree = buildTree([span("x", "z", 20), span("y", "x", 10), span("z", "y", 30), span("tail", "z", 1)]);
    expect(ids(tree.roots)).toEqual(["y"]);
    expect(tree.roots[0]?.oddity).toBe("cycle");
    expect(ids(visibleRows(tree, new Set()))).toEqual(["y", "z", "tail", "x"]);
  });

  it("survives a span that is its own parent", () => {
    const tree = buildTree([span("self", "self", 0), span("child", "self", 1)]);
    expect(ids(visibleRows(tree, new Set()))).toEqual(["self", "child"]);
  });

  it("takes an empty parent id for none", () => {
    expect(buildTree([span("a", "", 0)]).roots[0]?.oddity).toBeNull();
  });

  it("keeps one of a span that came twice", () => {
    const tree = buildTree([span("a", null, 0), span("a", null, 0)]);
    expect(visibleRows(tree, new Set())).toHaveLength(1);
  });

  it("knows where errors lie further down", () => {
    const tree = buildTree([span("a", null, 0), span("b", "a", 1), span("c", "b", 2, { status: "error" })]);
    expect(tree.byId.get("a")?.errorBelow).toBe(true);
    expect(tree.byId.get("b")?.errorBelow).toBe(true);
    expect(tree.byId.get("c")?.errorBelow).toBe(false);
  });

  it("spans the time from the first start to the last end", () => {
    const tree = buildTree([span("a", null, 0), span("b", "a", 50, { duration: 200e6 }), span("run", "a", 500, { duration: null })]);
    expect(tree.start).toBe(ZERO);
    expect(tree.end).toBe(ZERO + 500);
    expect(tree.byId.get("run")?.end).toBeNull();
  });

  it("handles ten thousand spans nested one in the other", () => {
    const spans = Array.from({ length: 10_000 }, (_, index) => span(`s${index}`, index === 0 ? null : `s${index - 1}`, index));
    const tree = buildTree(spans);
    expect(visibleRows(tree, new Set())).toHaveLength(10_000);
    expect(tree.byId.get("s9999")?.depth).toBe(9999);
  });

  it("is empty for no spans", () => {
    expect(buildTree([])).toMatchObject({ roots: [], start: 0, end: 0 });
  });
});

describe("folding", () => {
  const tree = buildTree([span("a", null, 0), span("b", "a", 1), span("c", "b", 2), span("d", "a", 3)]);

  it("hides what is below", () => {
    expect(ids(visibleRows(tree, new Set(["b"])))).toEqual(["a", "b", "d"]);
    expect(ids(visibleRows(tree, new Set(["a"])))).toEqual(["a"]);
  });

  it("lists ancestors from the nearest", () => {
    expect(ancestors(tree, "c")).toEqual(["b", "a"]);
    expect(ancestors(tree, "a")).toEqual([]);
    expect(ancestors(tree, "nobody")).toEqual([]);
  });
});

/** The tree of a trace, built from spans that may lack a parent, name each other as parents, or come twice. */
import type { SpanSummary } from "@/api/contract";
import { parseTime } from "./time";

export type Oddity = "orphan" | "cycle";

export interface TreeNode {
  span: SpanSummary;
  /** Milliseconds since the epoch, with fraction. */
  start: number;
  /** Milliseconds since the epoch; null while the span runs. */
  end: number | null;
  children: TreeNode[];
  depth: number;
  /** Number of spans below, at any depth. */
  descendants: number;
  /** Whether a span below, at any depth, ended in an error. */
  errorBelow: boolean;
  /** Why the node stands at the top although it names a parent. */
  oddity: Oddity | null;
}

export interface SpanTree {
  roots: TreeNode[];
  byId: Map<string, TreeNode>;
  /** Milliseconds since the epoch: the first start and the last end (or start) of any span. */
  start: number;
  end: number;
}

function byStart(a: TreeNode, b: TreeNode): number {
  return a.start - b.start || (a.span.span_id < b.span.span_id ? -1 : 1);
}

/** Builds the tree. Every span is in it exactly once, whatever the parents say. */
export function buildTree(spans: readonly SpanSummary[]): SpanTree {
  const byId = new Map<string, TreeNode>();
  for (const span of spans) {
    const start = parseTime(span.start_time);
    const end =
      span.duration !== null ? start + span.duration / 1e6 : span.end_time !== null ? parseTime(span.end_time) : null;
    byId.set(span.span_id, { span, start, end, children: [], depth: 0, descendants: 0, errorBelow: false, oddity: null });
  }

  const roots: TreeNode[] = [];
  for (const node of byId.values()) {
    const parentId = node.span.parent_span_id;
    const parent = parentId === null || parentId === "" ? null : byId.get(parentId);
    if (parent === null) roots.push(node);
    else if (parent === undefined) roots.push(Object.assign(node, { oddity: "orphan" as const }));
    else parent.children.push(node);
  }

  const reached = new Set<TreeNode>();
  for (const root of roots) settle(root, reached);
  if (reached.size < byId.size) {
    // What no root leads to is a ring of spans and what hangs on it: each ring is cut above its earliest span.
    const left = [...byId.values()].filter((node) => !reached.has(node)).sort(byStart);
    for (const node of left) {
      if (reached.has(node)) continue;
      const head = ringHead(node, byId);
      const parent = byId.get(head.span.parent_span_id ?? "");
      if (parent !== undefined) parent.children = parent.children.filter((child) => child !== head);
      head.oddity = "cycle";
      roots.push(head);
      settle(head, reached);
    }
  }
  roots.sort(byStart);

  let start = Infinity;
  let end = -Infinity;
  for (const node of byId.values()) {
    start = Math.min(start, node.start);
    end = Math.max(end, node.end ?? node.start);
  }
  return { roots, byId, start: Number.isFinite(start) ? start : 0, end: Number.isFinite(end) ? end : 0 };
}

/** The earliest span of the ring that following the parents of `from` ends in. */
function ringHead(from: TreeNode, byId: ReadonlyMap<string, TreeNode>): TreeNode {
  const seen = new Set<TreeNode>();
  let node = from;
  while (!seen.has(node)) {
    seen.add(node);
    const parent = byId.get(node.span.parent_span_id ?? "");
    if (parent === undefined) return node;
    node = parent;
  }
  let head = node;
  for (let walk = byId.get(node.span.parent_span_id ?? ""); walk !== undefined && walk !== node; ) {
    if (byStart(walk, head) < 0) head = walk;
    walk = byId.get(walk.span.parent_span_id ?? "");
  }
  return head;
}

/** Sorts children, and fills depth and sums below `root`, without recursion: traces can be deep. */
function settle(root: TreeNode, reached: Set<TreeNode>): void {
  const order: TreeNode[] = [];
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    reached.add(node);
    order.push(node);
    node.children.sort(byStart);
    for (const child of node.children) {
      child.depth = node.depth + 1;
      stack.push(child);
    }
  }
  for (let index = order.length - 1; index >= 0; index -= 1) {
    const node = order[index];
    if (node === undefined) continue;
    node.descendants = 0;
    node.errorBelow = false;
    for (const child of node.children) {
      node.descendants += 1 + child.descendants;
      node.errorBelow ||= child.errorBelow || child.span.status === "error";
    }
  }
}

/** The nodes in the order of the rows on the screen, without what is folded away. */
export function visibleRows(tree: SpanTree, collapsed: ReadonlySet<string>): TreeNode[] {
  const rows: TreeNode[] = [];
  const stack = [...tree.roots].reverse();
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    rows.push(node);
    if (collapsed.has(node.span.span_id)) continue;
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index];
      if (child !== undefined) stack.push(child);
    }
  }
  return rows;
}

/** The ids of the spans above `spanId`, nearest first. */
export function ancestors(tree: SpanTree, spanId: string): string[] {
  const ids: string[] = [];
  let node = tree.byId.get(spanId);
  while (node !== undefined && node.depth > 0) {
    const parent = tree.byId.get(node.span.parent_span_id ?? "");
    if (parent === undefined) break;
    ids.push(parent.span.span_id);
    node = parent;
  }
  return ids;
}

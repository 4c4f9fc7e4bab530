import { ChevronRight, CircleAlert, Unlink } from "lucide-react";
import { memo } from "react";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { costTip, formatCost, formatDuration, formatTokens, formatTokensShort, shortId } from "@/lib/format";
import { spanType, spanTypeLabel } from "@/lib/span-type";
import { barPosition } from "@/lib/timeline";
import type { TreeNode } from "@/lib/tree";

export type DetailView = "tree" | "both" | "timeline";

interface SpanRowProps {
  node: TreeNode;
  collapsed: boolean;
  selected: boolean;
  view: DetailView;
  /** Pixels per level. */
  indent: number;
  axisStart: number;
  axisEnd: number;
  /** Width of the column of names, as CSS. */
  nameWidth: string;
}

/** One span: its place in the tree, what it took, and its bar on the time line. */
export const SpanRow = memo(function SpanRow(props: SpanRowProps) {
  const { node, collapsed, selected, view, indent, axisStart, axisEnd, nameWidth } = props;
  const { span } = node;
  const type = spanType(span.type);
  const Icon = type.icon;
  const running = node.end === null;
  return (
    <div
      className={cx(
        "flex h-full items-stretch",
        selected ? "bg-selected shadow-[inset_2px_0_var(--accent)]" : "hover:bg-hover",
      )}
    >
      <div className="flex min-w-0 items-center pr-2" style={{ width: nameWidth }}>
        <Guides depth={node.depth} indent={indent} />
        <span className="flex size-5 shrink-0 items-center justify-center">
          {node.children.length > 0 && (
            <span
              data-toggle
              className="flex size-5 items-center justify-center rounded-sm text-muted hover:bg-line hover:text-text"
              data-tip={collapsed ? t("trace.hidden", { count: node.descendants }) : undefined}
            >
              <ChevronRight
                className={cx("size-3.5 transition-transform duration-100", !collapsed && "rotate-90")}
                aria-hidden
              />
            </span>
          )}
        </span>
        <span className="mr-1.5 shrink-0" data-tip={spanTypeLabel(span.type)}>
          <Icon className={cx("size-3.5", type.text)} aria-label={spanTypeLabel(span.type)} role="img" />
        </span>
        <span className={cx("min-w-0 truncate", span.status === "error" && "text-error")} data-tip={span.name}>
          {span.name}
        </span>
        {collapsed && node.descendants > 0 && (
          <span className="num ml-1.5 shrink-0 rounded-sm bg-hover px-1 text-2xs text-muted">+{node.descendants}</span>
        )}
        {span.status === "error" && (
          <CircleAlert
            className="ml-1.5 size-3.5 shrink-0 text-error"
            role="img"
            aria-label={t("status.error")}
            data-tip={span.status_message === "" ? t("status.error") : span.status_message}
          />
        )}
        {collapsed && span.status !== "error" && node.errorBelow && (
          <CircleAlert
            className="ml-1.5 size-3.5 shrink-0 text-error opacity-70"
            role="img"
            aria-label={t("trace.errorBelow")}
            data-tip={t("trace.errorBelow")}
          />
        )}
        {node.oddity !== null && (
          <Unlink
            className="ml-1.5 size-3.5 shrink-0 text-warning"
            role="img"
            aria-label={oddityText(node)}
            data-tip={oddityText(node)}
          />
        )}
        {view !== "timeline" && <Badges node={node} withDuration={view === "tree"} />}
      </div>
      {view !== "tree" && (
        <div className="relative min-w-0 flex-1 overflow-hidden border-l border-line">
          <Bar
            node={node}
            axisStart={axisStart}
            axisEnd={axisEnd}
            className={span.status === "error" ? "bg-error" : type.bar}
            label={running ? t("status.running") : formatDuration(span.duration)}
          />
        </div>
      )}
    </div>
  );
});

function oddityText(node: TreeNode): string {
  return node.oddity === "cycle"
    ? t("trace.cycle")
    : t("trace.orphan", { parent: shortId(node.span.parent_span_id ?? "") });
}

/** A line per level, so that the eye finds the parent. */
function Guides({ depth, indent }: { depth: number; indent: number }) {
  if (depth === 0) return <span className="w-1.5 shrink-0" />;
  return (
    <span
      aria-hidden
      className="ml-1.5 h-full shrink-0"
      style={{
        width: depth * indent,
        backgroundImage: "linear-gradient(to right, var(--line-strong) 1px, transparent 1px)",
        backgroundSize: `${indent}px 100%`,
        backgroundPosition: "9px 0",
      }}
    />
  );
}

function Badges({ node, withDuration }: { node: TreeNode; withDuration: boolean }) {
  const { span } = node;
  const tokens = span.input_tokens + span.output_tokens;
  // An unknown price matters only where there was something to pay for.
  const priced = tokens > 0 && (span.total_cost === null || Number(span.total_cost) > 0);
  return (
    <span className="num ml-auto flex shrink-0 items-center gap-2.5 pl-3 text-xs text-muted">
      {tokens > 0 && (
        <span className="hidden @sm:inline" data-tip={formatTokens(span.input_tokens, span.output_tokens)}>
          {formatTokensShort(span.input_tokens)} → {formatTokensShort(span.output_tokens)}
        </span>
      )}
      {priced && (
        <span className="hidden @xs:inline" data-tip={costTip(span)}>
          {formatCost(span.total_cost)}
        </span>
      )}
      {withDuration && (
        <span className="min-w-14 text-right text-text">
          {node.end === null ? t("status.running") : formatDuration(span.duration)}
        </span>
      )}
    </span>
  );
}

interface BarProps {
  node: TreeNode;
  axisStart: number;
  axisEnd: number;
  className: string;
  label: string;
}

function Bar({ node, axisStart, axisEnd, className, label }: BarProps) {
  const { left, width } = barPosition(node.start, node.end, { start: axisStart, end: axisEnd });
  // The label goes where there is room: right of the bar, else left of it, else onto it.
  const right = left + width;
  const place = right < 78 ? "after" : left > 22 ? "before" : "inside";
  return (
    <>
      <span
        className={cx(
          "absolute top-1/2 h-3.5 min-w-[3px] -translate-y-1/2 rounded-[3px]",
          className,
          node.end === null && "running",
        )}
        style={{ left: `min(${left}%, 100% - 3px)`, width: `${width}%` }}
      />
      <span
        className={cx(
          "num absolute top-1/2 -translate-y-1/2 px-1.5 text-2xs whitespace-nowrap",
          place === "inside" ? "font-medium text-surface" : "text-muted",
        )}
        style={
          place === "after"
            ? { left: `${right}%` }
            : place === "before"
              ? { right: `${100 - left}%` }
              : { left: `${left}%` }
        }
      >
        {label}
      </span>
    </>
  );
}

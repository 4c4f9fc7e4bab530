import type { ReactNode } from "react";
import { cx } from "./ui/cx";

interface ChipProps {
  label: string;
  children: ReactNode;
  tip?: string;
  tone?: "plain" | "error" | "warning";
}

/** A labelled fact in a header. */
export function Chip({ label, children, tip, tone = "plain" }: ChipProps) {
  return (
    <span
      data-tip={tip}
      className={cx(
        "inline-flex h-6 max-w-full min-w-0 items-center gap-1.5 rounded-md border px-2 text-xs whitespace-nowrap",
        tone === "plain" && "border-line bg-sunken",
        tone === "error" && "border-transparent bg-error-soft text-error",
        tone === "warning" && "border-transparent bg-warning-soft text-warning",
      )}
    >
      <span className={cx("shrink-0", tone === "plain" && "text-muted")}>{label}</span>
      <span className="num flex min-w-0 items-center gap-1 truncate font-medium">{children}</span>
    </span>
  );
}

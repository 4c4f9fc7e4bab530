import type { ReactNode } from "react";
import { cx } from "./cx";

export type Tone = "plain" | "accent" | "warning" | "error";

const TONES: Record<Tone, string> = {
  plain: "border-line bg-sunken text-muted",
  accent: "border-transparent bg-accent-soft text-accent",
  warning: "border-transparent bg-warning-soft text-warning",
  error: "border-transparent bg-error-soft text-error",
};

/** A word about the state of something. Only what needs a look has colour. */
export function Badge({ tone = "plain", tip, children }: { tone?: Tone; tip?: string; children: ReactNode }) {
  return (
    <span
      data-tip={tip}
      className={cx("inline-flex h-5 max-w-full items-center rounded-sm border px-1.5 text-2xs font-medium whitespace-nowrap", TONES[tone])}
    >
      <span className="truncate">{children}</span>
    </span>
  );
}

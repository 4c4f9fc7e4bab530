import type { ReactNode } from "react";
import { cx } from "./cx";

interface SegmentedProps<Value extends string> {
  label: string;
  value: Value;
  options: readonly { value: Value; label: string; icon?: ReactNode }[];
  onChange: (value: Value) => void;
  className?: string;
}

/** One of a few, all in sight. With icons, the labels are read out and shown on hover. */
export function Segmented<Value extends string>({ label, value, options, onChange, className }: SegmentedProps<Value>) {
  return (
    <div
      role="group"
      aria-label={label}
      className={cx("inline-flex h-7 shrink-0 items-stretch rounded-md border border-line-strong bg-surface p-px", className)}
    >
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          aria-label={option.icon === undefined ? undefined : option.label}
          data-tip={option.icon === undefined ? undefined : option.label}
          onClick={() => onChange(option.value)}
          className="inline-flex items-center rounded-[4px] px-2 text-xs text-muted transition-colors duration-100 hover:text-text aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent"
        >
          {option.icon ?? option.label}
        </button>
      ))}
    </div>
  );
}

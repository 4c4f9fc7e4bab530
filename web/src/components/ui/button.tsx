import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "./cx";

type Variant = "primary" | "outline" | "ghost" | "danger";

const VARIANTS: Record<Variant, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover font-medium",
  outline: "border border-line-strong bg-surface text-text hover:bg-hover",
  ghost: "text-muted hover:bg-hover hover:text-text",
  danger: "bg-error text-surface hover:bg-error/85 font-medium",
};

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: Variant;
  /** Why it cannot be used now. The button stays reachable, so that the reason can be read. */
  denied?: string | false;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ variant = "outline", denied = false, className, type = "button", onClick, ...rest }: ButtonProps) {
  const refused = denied !== false;
  return (
    <button
      type={refused ? "button" : type}
      aria-disabled={refused || undefined}
      data-tip={refused ? denied : undefined}
      {...(refused && { "aria-description": denied })}
      onClick={refused ? undefined : onClick}
      className={cx(
        "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-md px-2.5 text-sm whitespace-nowrap transition-colors duration-100 disabled:opacity-60 aria-disabled:cursor-not-allowed aria-disabled:opacity-50",
        VARIANTS[variant],
        className,
      )}
      {...rest}
    />
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  children: ReactNode;
  size?: "sm" | "md";
  ref?: Ref<HTMLButtonElement>;
}

/** A button that shows an icon only; its label is read out and shown on hover. */
export function IconButton({ label, children, className, size = "md", ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      data-tip={label}
      className={cx(
        "inline-flex shrink-0 items-center justify-center rounded-md text-muted transition-colors duration-100 hover:bg-hover hover:text-text disabled:opacity-50",
        size === "md" ? "size-7" : "size-5",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}

import { Eye, EyeOff } from "lucide-react";
import { useId, useState, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { sentence } from "@/api/error";
import { t } from "@/i18n";
import type { FieldState } from "@/lib/use-form";
import { IconButton } from "./button";
import { cx } from "./cx";

const CONTROL =
  "w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-text placeholder:text-muted disabled:bg-sunken disabled:text-muted aria-[invalid=true]:border-error";

interface Shared {
  label: string;
  hint?: ReactNode;
  error?: string;
  /** Keeps the label for screen readers only. */
  bare?: boolean;
  className?: string;
}

interface Wiring {
  id: string;
  "aria-invalid": boolean;
  "aria-describedby": string | undefined;
}

/** A label, a control, what explains it and what is wrong with it, wired for screen readers. */
export function Field({ label, hint, error, bare = false, className, children }: Shared & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const described = [error !== undefined && `${id}-error`, hint !== undefined && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <label htmlFor={id} className={bare ? "sr-only" : "font-medium"}>
        {label}
      </label>
      {children({ id, "aria-invalid": error !== undefined, "aria-describedby": described === "" ? undefined : described })}
      {error !== undefined && (
        <p id={`${id}-error`} className="text-xs text-error">
          {sentence(error)}
        </p>
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
    </div>
  );
}

type Controlled<Element, Value = string> = Omit<Element, "value" | "onChange" | "className"> & Shared & Omit<FieldState<Value>, "error">;

type TextInputProps = Controlled<InputHTMLAttributes<HTMLInputElement>> & {
  ref?: Ref<HTMLInputElement>;
  large?: boolean;
  mono?: boolean;
};

export function TextInput({ label, hint, error, bare, className, value, onChange, large = false, mono = false, ...rest }: TextInputProps) {
  return (
    <Field label={label} hint={hint} error={error} bare={bare} className={className}>
      {(wiring) => (
        <input
          {...wiring}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={cx(CONTROL, large ? "h-9 text-base" : "h-8", mono && "font-mono")}
          {...rest}
        />
      )}
    </Field>
  );
}

/** A password that can be looked at. */
export function PasswordInput({ label, hint, error, bare, className, value, onChange, large = false, ...rest }: Omit<TextInputProps, "mono" | "type">) {
  const [visible, setVisible] = useState(false);
  return (
    <Field label={label} hint={hint} error={error} bare={bare} className={className}>
      {(wiring) => (
        <div className="relative">
          <input
            {...wiring}
            type={visible ? "text" : "password"}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            className={cx(CONTROL, "pr-10", large ? "h-9 text-base" : "h-8")}
            {...rest}
          />
          <IconButton
            label={t(visible ? "login.hidePassword" : "login.showPassword")}
            onClick={() => setVisible(!visible)}
            className={cx("absolute right-1", large ? "top-1" : "top-0.5")}
          >
            {visible ? <EyeOff className="size-4" aria-hidden /> : <Eye className="size-4" aria-hidden />}
          </IconButton>
        </div>
      )}
    </Field>
  );
}

export function TextArea({ label, hint, error, bare, className, value, onChange, ...rest }: Controlled<TextareaHTMLAttributes<HTMLTextAreaElement>>) {
  return (
    <Field label={label} hint={hint} error={error} bare={bare} className={className}>
      {(wiring) => (
        <textarea
          {...wiring}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={cx(CONTROL, "min-h-16 py-1.5")}
          rows={3}
          {...rest}
        />
      )}
    </Field>
  );
}

export interface Choice<Value extends string> {
  value: Value;
  label: string;
  disabled?: boolean;
}

type SelectProps<Value extends string> = Controlled<SelectHTMLAttributes<HTMLSelectElement>, Value> & {
  options: readonly Choice<Value>[];
};

/** The browser's own: it works in dialogs, on phones and by keyboard without help. */
export function Select<Value extends string>({ label, hint, error, bare, className, value, onChange, options, ...rest }: SelectProps<Value>) {
  return (
    <Field label={label} hint={hint} error={error} bare={bare} className={className}>
      {(wiring) => (
        <select
          {...wiring}
          value={value}
          onChange={(event) => onChange(event.target.value as Value)}
          className={cx(CONTROL, "h-8 truncate pr-1")}
          {...rest}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.disabled}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface CheckboxProps {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Checkbox({ label, hint, checked, disabled, onChange }: CheckboxProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onChange(event.target.checked)}
        className="mt-[3px] size-3.5 shrink-0 accent-accent"
      />
      <div className="min-w-0">
        <label htmlFor={id} className={disabled === true ? "text-muted" : undefined}>
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}

import { ChevronRight } from "lucide-react";
import { useState, type ReactNode } from "react";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";

/** Entries of an object or array shown at once; the rest follows on demand. */
const CHUNK = 100;
/** Characters of a string shown at once. */
const TEXT_LIMIT = 600;

interface JsonTreeProps {
  value: unknown;
  /** Levels that start open. */
  openDepth?: number;
  className?: string;
}

/** A JSON value to look around in. What is folded is not rendered, so that large values stay quick. */
export function JsonTree({ value, openDepth = 2, className }: JsonTreeProps) {
  return (
    <div role="group" aria-label={t("json.tree")} className={cx("code break-words", className)}>
      <Value value={value} openDepth={openDepth} label={null} />
    </div>
  );
}

interface ValueProps {
  value: unknown;
  openDepth: number;
  label: string | null;
}

function Value({ value, openDepth, label }: ValueProps) {
  if (Array.isArray(value)) {
    if (value.length === 0) return <Line label={label}>[]</Line>;
    return <Branch label={label} entries={value.map((item, index) => [String(index), item])} array openDepth={openDepth} />;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    if (entries.length === 0) return <Line label={label}>{"{}"}</Line>;
    return <Branch label={label} entries={entries} array={false} openDepth={openDepth} />;
  }
  return (
    <Line label={label}>
      <Scalar value={value} />
    </Line>
  );
}

function Label({ text }: { text: string }) {
  return <span className="text-muted">{text}: </span>;
}

function Line({ label, children }: { label: string | null; children: ReactNode }) {
  return (
    <div className="pl-4">
      {label !== null && <Label text={label} />}
      {children}
    </div>
  );
}

interface BranchProps {
  label: string | null;
  entries: [string, unknown][];
  array: boolean;
  openDepth: number;
}

function Branch({ label, entries, array, openDepth }: BranchProps) {
  const [open, setOpen] = useState(openDepth > 0);
  const [limit, setLimit] = useState(CHUNK);
  const size = t(array ? "json.items" : "json.keys", { count: entries.length });
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="-ml-0.5 flex max-w-full items-center rounded-sm pr-1 text-left hover:bg-hover"
      >
        <ChevronRight
          className={cx("mr-0.5 size-4 shrink-0 text-muted transition-transform duration-100", open && "rotate-90")}
          aria-hidden
        />
        <span className="truncate">
          {label !== null && <Label text={label} />}
          <span className="text-muted">{array ? "[" : "{"}</span>
          {!open && <span className="text-muted">{array ? " … ]" : " … }"}</span>}
          <span className="ml-2 font-sans text-2xs text-muted">{size}</span>
        </span>
      </button>
      {open && (
        <div className="ml-[7px] border-l border-line pl-1.5">
          {entries.slice(0, limit).map(([key, item]) => (
            <Value key={key} label={key} value={item} openDepth={openDepth - 1} />
          ))}
          {entries.length > limit && (
            <button
              type="button"
              className="ml-4 font-sans text-xs text-accent hover:underline"
              onClick={() => setLimit(limit + CHUNK * 5)}
            >
              {t("json.more", { count: Math.min(CHUNK * 5, entries.length - limit) })}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** A string, number, boolean or null in the colour of its type. */
export function Scalar({ value }: { value: unknown }) {
  if (typeof value === "string") return <LongText text={value} />;
  if (typeof value === "number" || typeof value === "bigint") return <span className="text-cat-1">{String(value)}</span>;
  if (typeof value === "boolean") return <span className="text-cat-6">{String(value)}</span>;
  return <span className="text-muted">null</span>;
}

function LongText({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  const cut = !open && text.length > TEXT_LIMIT;
  return (
    <span className="whitespace-pre-wrap text-cat-4">
      {`"${cut ? text.slice(0, TEXT_LIMIT) : text}`}
      {cut ? "… " : '"'}
      {cut && (
        <button type="button" className="font-sans text-xs text-accent hover:underline" onClick={() => setOpen(true)}>
          {t("json.moreText", { count: text.length - TEXT_LIMIT })}
        </button>
      )}
    </span>
  );
}

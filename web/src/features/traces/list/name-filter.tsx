import { Search, X } from "lucide-react";
import { useEffect, useState, type Ref } from "react";
import { IconButton } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";
import { t } from "@/i18n";

/** Long enough not to ask for every letter, short enough to feel immediate. */
const WAIT_MS = 250;

interface NameFilterProps {
  value: string;
  onChange: (value: string) => void;
  ref: Ref<HTMLInputElement>;
}

/** Give it a `key` of the value to take over a change from outside. */
export function NameFilter({ value, onChange, ref }: NameFilterProps) {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  if (known !== value) {
    // Changed elsewhere: by "clear filters", or by going back.
    setKnown(value);
    if (value !== typed.trim()) setTyped(value);
  }

  useEffect(() => {
    const next = typed.trim();
    if (next === value) return;
    const timer = setTimeout(() => onChange(next), WAIT_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);

  return (
    <div className="relative min-w-36 flex-1 sm:max-w-72">
      <Search className="pointer-events-none absolute top-1.5 left-2 size-4 text-muted" aria-hidden />
      <input
        ref={ref}
        type="text"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
        aria-label={t("filter.nameLabel")}
        placeholder={t("filter.name")}
        spellCheck={false}
        autoComplete="off"
        className="peer h-7 w-full rounded-md border border-line-strong bg-surface pr-8 pl-8 text-sm placeholder:text-muted"
      />
      {typed === "" ? (
        <span className="pointer-events-none absolute top-1 right-1 peer-focus:hidden max-sm:hidden" aria-hidden>
          <Kbd>/</Kbd>
        </span>
      ) : (
        <IconButton label={t("action.clear")} size="sm" className="absolute top-1 right-1" onClick={() => setTyped("")}>
          <X className="size-3.5" aria-hidden />
        </IconButton>
      )}
    </div>
  );
}

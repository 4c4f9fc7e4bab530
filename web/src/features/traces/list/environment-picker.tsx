import { ChevronDown, Layers } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { t } from "@/i18n";

interface EnvironmentPickerProps {
  value: string | undefined;
  /** Environments of the rows in sight. */
  seen: readonly string[];
  onChange: (value: string | undefined) => void;
}

export function EnvironmentPicker({ value, seen, onChange }: EnvironmentPickerProps) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const choose = (next: string | undefined) => {
    onChange(next);
    setTyped("");
    setOpen(false);
  };
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = typed.trim();
    if (name !== "") choose(name);
  };
  const options = [...new Set(value === undefined ? seen : [value, ...seen])].sort();
  const option =
    "flex h-7 items-center rounded-md px-2 text-left hover:bg-hover aria-pressed:bg-selected aria-pressed:font-medium";
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button aria-label={`${t("filter.environment")}: ${value ?? t("filter.environmentAny")}`}>
          <Layers className="size-4 text-muted" aria-hidden />
          <span className="max-w-28 truncate max-sm:hidden">{value ?? t("filter.environmentAny")}</span>
          {value !== undefined && <span className="max-w-20 truncate sm:hidden">{value}</span>}
          <ChevronDown className="size-3.5 text-muted" aria-hidden />
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" className="w-56" aria-label={t("filter.environment")}>
        <div className="flex flex-col">
          <button type="button" aria-pressed={value === undefined} className={option} onClick={() => choose(undefined)}>
            {t("filter.environmentAny")}
          </button>
          {options.length > 0 && <p className="px-2 pt-2 pb-0.5 text-xs text-muted">{t("filter.environmentSeen")}</p>}
          {options.map((name) => (
            <button key={name} type="button" aria-pressed={name === value} className={option} onClick={() => choose(name)}>
              <span className="truncate">{name}</span>
            </button>
          ))}
        </div>
        <form onSubmit={onSubmit} className="mt-2 border-t border-line pt-2">
          <input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            aria-label={t("filter.environmentInput")}
            placeholder={t("filter.environmentInput")}
            className="h-7 w-full rounded-md border border-line-strong bg-surface px-2 placeholder:text-muted"
          />
        </form>
      </PopoverContent>
    </Popover>
  );
}

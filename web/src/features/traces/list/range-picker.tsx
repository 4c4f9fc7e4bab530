import { CalendarClock, ChevronDown } from "lucide-react";
import { useState, type SubmitEvent } from "react";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import { t, type Key } from "@/i18n";
import { formatMinute } from "@/lib/time";
import { DEFAULT_RANGE, RANGES, type TraceSearch } from "@/lib/trace-search";

type Patch = (patch: Partial<TraceSearch>) => void;

/** What datetime-local takes: local time without a zone. */
function toLocalInput(value: string | undefined): string {
  if (value === undefined) return "";
  const date = new Date(value);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function describe(search: TraceSearch): string {
  if (search.from === undefined) return t(`range.${search.range ?? DEFAULT_RANGE}` as Key);
  const from = formatMinute(Date.parse(search.from));
  return search.to === undefined ? t("range.since", { from }) : `${from} – ${formatMinute(Date.parse(search.to))}`;
}

export function RangePicker({ search, onChange }: { search: TraceSearch; onChange: Patch }) {
  const [open, setOpen] = useState(false);
  const apply = (patch: Partial<TraceSearch>) => {
    onChange({ range: undefined, from: undefined, to: undefined, ...patch });
    setOpen(false);
  };
  return (
    <Popover open={open} onOpenChange={setOpen}>
      <PopoverTrigger asChild>
        <Button aria-label={`${t("filter.range")}: ${describe(search)}`} className="num">
          <CalendarClock className="size-4 text-muted" aria-hidden />
          {describe(search)}
          <ChevronDown className="size-3.5 text-muted" aria-hidden />
        </Button>
      </PopoverTrigger>
      <PopoverContent align="end" className="w-64" aria-label={t("filter.range")}>
        <div className="flex flex-col">
          {RANGES.map((range) => (
            <button
              key={range}
              type="button"
              aria-pressed={search.from === undefined && (search.range ?? DEFAULT_RANGE) === range}
              onClick={() => apply({ range })}
              className="h-7 rounded-md px-2 text-left hover:bg-hover aria-pressed:bg-selected aria-pressed:font-medium"
            >
              {t(`range.${range}.long`)}
            </button>
          ))}
        </div>
        <CustomRange search={search} onApply={apply} />
      </PopoverContent>
    </Popover>
  );
}

function CustomRange({ search, onApply }: { search: TraceSearch; onApply: Patch }) {
  const [from, setFrom] = useState(() => toLocalInput(search.from));
  const [to, setTo] = useState(() => toLocalInput(search.to));
  const reversed = from !== "" && to !== "" && Date.parse(to) <= Date.parse(from);

  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (from === "" || reversed) return;
    onApply({ from: new Date(from).toISOString(), to: to === "" ? undefined : new Date(to).toISOString() });
  };
  const field = "num mt-0.5 h-7 w-full rounded-md border border-line-strong bg-surface px-2 text-sm text-text";
  return (
    <form onSubmit={onSubmit} className="mt-2 flex flex-col gap-2 border-t border-line px-2 pt-2">
      <p className="font-medium">{t("range.custom")}</p>
      <label className="text-xs text-muted">
        {t("range.from")}
        <input type="datetime-local" required value={from} onChange={(event) => setFrom(event.target.value)} className={field} />
      </label>
      <label className="text-xs text-muted">
        {t("range.to")}
        <input type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} className={field} />
        <span className={reversed ? "text-error" : undefined}>{t(reversed ? "range.order" : "range.toHint")}</span>
      </label>
      <Button type="submit" variant="primary" disabled={from === "" || reversed}>
        {t("action.apply")}
      </Button>
    </form>
  );
}

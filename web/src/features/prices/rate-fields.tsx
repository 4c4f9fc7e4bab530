import { X } from "lucide-react";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { sentence } from "@/api/error";
import { Button, IconButton } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { t } from "@/i18n";
import type { AboveInput, CardInput, Faults, RateInputs } from "@/lib/price-form";
import { usageLabel, type UsageKind } from "@/lib/usage";

const COMMON: readonly UsageKind[] = ["input", "output", "input_cache_read", "input_cache_write_5m", "output_reasoning"];
const RARE: readonly UsageKind[] = ["input_cache_write_1h", "input_audio", "input_image", "output_audio"];

interface RateFieldsProps {
  /** Where these rates are: `prices[0]`, `prices[0].above[1]`, `prices[0].batch`. */
  at: string;
  rates: RateInputs;
  faults: Faults;
  onChange: (rates: RateInputs, path: string) => void;
}

/** A field for each kind of usage; the rare ones are folded away while they are empty. */
export function RateFields({ at, rates, faults, onChange }: RateFieldsProps) {
  const field = (kind: string) => {
    const path = `${at}.rates.${kind}`;
    return (
      <TextInput
        key={kind}
        label={usageLabel(kind)}
        inputMode="decimal"
        autoComplete="off"
        spellCheck={false}
        mono
        error={faults[path]}
        value={rates[kind] ?? ""}
        // What is wrong with all of them together is not said any more either.
        onChange={(typed) => onChange({ ...rates, [kind]: typed }, faults[`${at}.rates`] === undefined ? path : `${at}.rates`)}
      />
    );
  };
  const wrong = faults[`${at}.rates`];
  return (
    <div className="flex flex-col gap-2">
      <div className="grid grid-cols-2 gap-x-3 gap-y-2 sm:grid-cols-3">{COMMON.map(field)}</div>
      <Fold title={t("prices.moreKinds")} open={RARE.some((kind) => (rates[kind] ?? "") !== "")} forced={RARE.some((kind) => faults[`${at}.rates.${kind}`] !== undefined)}>
        <div className="grid grid-cols-2 gap-x-3 gap-y-2 sm:grid-cols-3">{RARE.map(field)}</div>
      </Fold>
      {wrong !== undefined && (
        <p role="alert" className="text-xs text-error">
          {sentence(wrong)}
        </p>
      )}
    </div>
  );
}

interface FoldProps {
  title: string;
  /** Whether it starts open. */
  open?: boolean;
  /** Something in it is wrong and must be seen. */
  forced?: boolean;
  children: ReactNode;
}

/** The browser's own way to fold, which works by keyboard and is found by the search of the page. */
export function Fold({ title, open = false, forced = false, children }: FoldProps) {
  const element = useRef<HTMLDetailsElement>(null);
  // From then on it is the browser's.
  const [start] = useState(open);
  useEffect(() => {
    if (forced && element.current !== null) element.current.open = true;
  }, [forced]);
  return (
    <details ref={element} open={start}>
      <summary className="w-fit cursor-pointer rounded-sm text-xs text-muted hover:text-text">{title}</summary>
      <div className="mt-2">{children}</div>
    </details>
  );
}

interface CardFieldsProps {
  at: string;
  card: CardInput;
  faults: Faults;
  onChange: (card: CardInput, path: string) => void;
}

/** The rates of a tier, with those for long contexts. */
export function CardFields({ at, card, faults, onChange }: CardFieldsProps) {
  const setAbove = (above: readonly AboveInput[], path: string) => onChange({ ...card, above }, path);
  return (
    <div className="flex flex-col gap-3">
      <RateFields at={at} rates={card.rates} faults={faults} onChange={(rates, path) => onChange({ ...card, rates }, path)} />
      <div className="flex flex-col gap-2">
        {card.above.map((long, index) => (
          <LongContext
            key={index}
            at={`${at}.above[${index}]`}
            long={long}
            faults={faults}
            onChange={(changed, path) => setAbove(card.above.map((one, place) => (place === index ? changed : one)), path)}
            onRemove={() => setAbove(card.above.filter((_, place) => place !== index), `${at}.above`)}
          />
        ))}
        <Button
          variant="ghost"
          className="self-start"
          onClick={() => setAbove([...card.above, { tokens: "", rates: {} }], `${at}.above[${card.above.length}]`)}
        >
          {t("prices.addLong")}
        </Button>
      </div>
    </div>
  );
}

interface LongContextProps {
  at: string;
  long: AboveInput;
  faults: Faults;
  onChange: (long: AboveInput, path: string) => void;
  onRemove: () => void;
}

function LongContext({ at, long, faults, onChange, onRemove }: LongContextProps) {
  const hint = useId();
  return (
    <fieldset aria-describedby={hint} className="rounded-md border border-line bg-sunken p-3">
      <legend className="sr-only">{t("prices.longContexts")}</legend>
      <div className="mb-2 flex items-start gap-2">
        <TextInput
          label={t("prices.above")}
          inputMode="numeric"
          autoComplete="off"
          mono
          className="max-w-48 flex-1"
          error={faults[`${at}.input_tokens`]}
          value={long.tokens}
          onChange={(tokens) => onChange({ ...long, tokens }, `${at}.input_tokens`)}
        />
        <IconButton label={t("prices.removeLong", { count: long.tokens === "" ? "…" : long.tokens })} onClick={onRemove} className="ml-auto">
          <X className="size-4" aria-hidden />
        </IconButton>
      </div>
      <p id={hint} className="mb-2 text-xs text-muted">
        {t("prices.aboveText")}
      </p>
      <RateFields at={at} rates={long.rates} faults={faults} onChange={(rates, path) => onChange({ ...long, rates }, path)} />
    </fieldset>
  );
}

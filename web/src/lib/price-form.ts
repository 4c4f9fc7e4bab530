/** Own prices between what the server keeps and what a person types. */
import type { AboveRates, PriceBody, PriceVersion, Rates, TierRates } from "@/api/prices";
import { t } from "@/i18n";
import { USAGE_KINDS } from "./usage";

export const SERVICE_TIERS = ["batch", "flex", "priority"] as const;
export type ServiceTier = (typeof SERVICE_TIERS)[number];

/** What stands in the fields, by kind of usage; an empty field is a rate that is not set. */
export type RateInputs = Readonly<Record<string, string>>;
export interface AboveInput {
  tokens: string;
  rates: RateInputs;
}
export interface CardInput {
  rates: RateInputs;
  above: readonly AboveInput[];
}
export interface VersionInput extends CardInput {
  /** Tells the versions of a form apart. */
  key: number;
  /** Empty: since ever. */
  from: string;
  tiers: Readonly<Partial<Record<ServiceTier, CardInput>>>;
}
export interface PriceInput {
  provider: string;
  model: string;
  versions: readonly VersionInput[];
}

let lastKey = 0;

export function emptyVersion(from = ""): VersionInput {
  lastKey += 1;
  return { key: lastKey, from, rates: {}, above: [], tiers: {} };
}

function cardInput({ rates, above }: { rates: Rates; above?: readonly AboveRates[] }): CardInput {
  return { rates, above: (above ?? []).map((long) => ({ tokens: String(long.input_tokens), rates: long.rates })) };
}

/** A version of a price in fields. */
export function versionInput(version: PriceVersion): VersionInput {
  const tiers: Partial<Record<ServiceTier, CardInput>> = {};
  for (const tier of SERVICE_TIERS) {
    const rates = version[tier];
    if (rates !== null) tiers[tier] = cardInput(rates);
  }
  return { ...emptyVersion(version.from ?? ""), ...cardInput(version), tiers };
}

/** A copy to begin a price from that holds on another day. */
export function copyVersion(version: VersionInput, from: string): VersionInput {
  return { ...version, key: emptyVersion().key, from };
}

/** An amount that was typed: US dollars for a million tokens; null where it is none. A comma is a decimal point, a dollar sign is dropped. */
export function parseRate(typed: string): string | null {
  const text = typed.trim().replace(/^\$\s*/, "").replace(",", ".");
  if (!/^\d{1,6}(\.\d{0,12})?$|^\.\d{1,12}$/.test(text)) return null;
  const [whole = "", decimals = ""] = text.split(".");
  const cut = decimals.replace(/0+$/, "");
  const left = whole.replace(/^0+(?=\d)/, "") || "0";
  return cut === "" ? left : `${left}.${cut}`;
}

/** What is wrong with which field, by the paths that the server uses: `prices[0].rates.input`. */
export type Faults = Record<string, string>;

function readRates(at: string, inputs: RateInputs, faults: Faults): Rates {
  const rates: Record<string, string> = {};
  for (const [kind, typed] of Object.entries(inputs)) {
    if (typed.trim() === "") continue;
    const amount = parseRate(typed);
    if (amount === null) faults[`${at}.rates.${kind}`] = t("prices.badRate");
    else rates[kind] = amount;
  }
  return rates;
}

function readCard(at: string, card: CardInput, faults: Faults): TierRates {
  const rates = readRates(at, card.rates, faults);
  const seen = new Set<number>();
  const above = card.above.map((long, index) => {
    const place = `${at}.above[${index}]`;
    const tokens = Number(long.tokens.replace(/[\s,_.']/g, ""));
    if (!Number.isSafeInteger(tokens) || tokens < 1) faults[`${place}.input_tokens`] = t("prices.badTokens");
    else if (seen.has(tokens)) faults[`${place}.input_tokens`] = t("prices.sameTokens");
    seen.add(tokens);
    const found = readRates(place, long.rates, faults);
    if (Object.keys(found).length === 0 && !hasFault(faults, `${place}.rates`)) faults[`${place}.rates`] = t("prices.noRates");
    return { input_tokens: tokens, rates: found };
  });
  return { rates, above };
}

function hasFault(faults: Faults, prefix: string): boolean {
  return Object.keys(faults).some((field) => field.startsWith(prefix));
}

/** What was typed as the server takes it, and what is wrong with it. */
export function readPrice(input: PriceInput): { body: PriceBody; faults: Faults } {
  const faults: Faults = {};
  if (input.model.trim() === "") faults.model = t("form.required");
  const days = new Set<string>();
  const versions = input.versions.map((version, index): PriceVersion => {
    const at = `prices[${index}]`;
    if (days.has(version.from)) faults[`${at}.from`] = t("prices.sameDay");
    days.add(version.from);
    const card = readCard(at, version, faults);
    if (Object.keys(card.rates).length === 0 && !hasFault(faults, `${at}.rates`)) faults[`${at}.rates`] = t("prices.noRates");
    const tier = (name: ServiceTier): TierRates | null => {
      const typed = version.tiers[name];
      if (typed === undefined) return null;
      const read = readCard(`${at}.${name}`, typed, faults);
      // Opened and left empty is not set.
      const empty = Object.keys(read.rates).length === 0 && read.above.length === 0;
      return empty && !hasFault(faults, `${at}.${name}`) ? null : read;
    };
    return { from: version.from === "" ? null : version.from, ...card, batch: tier("batch"), flex: tier("flex"), priority: tier("priority") };
  });
  return { body: { provider: input.provider.trim(), model: input.model.trim(), prices: versions }, faults };
}

/** Kinds of a card in the order in which they are listed; kinds that are not known come last. */
export function rateKinds(rates: Rates): string[] {
  const known = USAGE_KINDS.filter((kind) => rates[kind] !== undefined);
  const others = Object.keys(rates).filter((kind) => !(USAGE_KINDS as readonly string[]).includes(kind));
  return [...known, ...others.sort()];
}

/** The version that holds on a day, YYYY-MM-DD. */
export function versionOn<Version extends { from: string | null }>(versions: readonly Version[], day: string): Version | undefined {
  return [...versions].sort((one, other) => (one.from ?? "").localeCompare(other.from ?? "")).findLast(({ from }) => from === null || from <= day);
}

/** What to look for in the catalogue when a model is not there: its name without the date, tag and path that vendors add. */
export function searchFor(model: string): string {
  const name = (model.split("/").at(-1) ?? model).split(":")[0] ?? model;
  const bare = name.replace(/[-@](\d{8}|\d{4}-\d{2}-\d{2}|latest|preview|v\d+)$/i, "");
  // Two parts of a name are its family: gpt-4.1, claude-sonnet.
  return bare.split("-").slice(0, 2).join("-");
}

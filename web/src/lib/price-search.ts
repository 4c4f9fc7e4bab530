/** What the address of the prices of a project holds. */

export const PRICE_TABS = ["own", "catalogue", "unpriced", "reprice"] as const;
export type PriceTab = (typeof PRICE_TABS)[number];

export interface PriceSearch {
  /** Own prices where it is missing. */
  tab?: PriceTab;
  /** A model whose price is to be set: the form is open with it. */
  set?: string;
  /** The provider of that model. */
  provider?: string;
  /** Models to price anew, one per line, as provider/model. */
  models?: string;
}

export function parsePriceSearch(search: Record<string, unknown>): PriceSearch {
  const parsed: PriceSearch = {};
  const tab = PRICE_TABS.find((known) => known === search.tab);
  if (tab !== undefined && tab !== "own") parsed.tab = tab;
  for (const name of ["set", "provider", "models"] as const) {
    const value = search[name];
    // A model that is called 4 comes as a number.
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && text.trim() !== "") parsed[name] = text;
  }
  return parsed;
}

/** Models as they are typed for a re-pricing: `provider/model`, or `model`, one per line or parted by commas. */
export function parseModels(typed: string): { provider?: string; model: string }[] {
  const lines = new Set(typed.split(/[\n,]/).map((line) => line.trim()));
  lines.delete("");
  return [...lines].map((line) => {
    const slash = line.indexOf("/");
    // A name with a slash of its own, of any provider.
    if (slash === 0) return { model: line.slice(1) };
    return slash > 0 && slash < line.length - 1 ? { provider: line.slice(0, slash), model: line.slice(slash + 1) } : { model: line };
  });
}

export function formatModel({ provider, model }: { provider?: string | null; model: string }): string {
  if (provider === undefined || provider === null || provider === "") return model.includes("/") ? `/${model}` : model;
  return `${provider}/${model}`;
}

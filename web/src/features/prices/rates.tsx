import type { PriceVersion, Rates, TierRates } from "@/api/prices";
import { Badge } from "@/components/ui/badge";
import { t } from "@/i18n";
import { formatCostExact, NONE } from "@/lib/format";
import { rateKinds, SERVICE_TIERS } from "@/lib/price-form";
import { formatDay } from "@/lib/time";
import { usageLabel } from "@/lib/usage";

/** YYYY-MM-DD of now, in UTC as the days of prices are. */
export function today(now = Date.now()): string {
  return new Date(now).toISOString().slice(0, 10);
}

/** A day of a price as people read it. It is a day in UTC; noon keeps it the same day in most zones. */
export function priceDay(day: string | null): string {
  return day === null ? t("cost.always") : formatDay(Date.parse(`${day}T12:00:00Z`));
}

/** What most people want to know of a price: input and output, and the rest on hover. */
export function RateLine({ rates }: { rates: Rates }) {
  const kinds = rateKinds(rates);
  const rest = kinds.filter((kind) => kind !== "input" && kind !== "output");
  const shown = kinds.filter((kind) => kind === "input" || kind === "output");
  const first = shown.length > 0 ? shown : rest.slice(0, 2);
  const more = kinds.length - first.length;
  return (
    <span
      className="num whitespace-nowrap"
      data-tip={kinds.map((kind) => `${usageLabel(kind)}: ${formatCostExact(rates[kind] ?? "")}`).join("\n")}
    >
      {first.map((kind, index) => (
        <span key={kind}>
          {index > 0 && <span className="text-muted"> → </span>}
          <span className="sr-only">{usageLabel(kind)} </span>
          {formatCostExact(rates[kind] ?? "")}
        </span>
      ))}
      {more > 0 && <span className="ml-1.5 text-xs text-muted">+{more}</span>}
    </span>
  );
}

/** Whether a price has more to it than one card of rates. */
export function PriceMarks({ version }: { version: PriceVersion }) {
  const tiers = SERVICE_TIERS.filter((tier) => version[tier] !== null);
  return (
    <>
      {version.above.length > 0 && <Badge>{t("prices.hasLong")}</Badge>}
      {tiers.length > 0 && <Badge tip={tiers.map((tier) => t(`cost.tier.${tier}`)).join(", ")}>{t("prices.hasTiers")}</Badge>}
    </>
  );
}

interface Card {
  title: string;
  rates: Rates;
}

function cards(version: PriceVersion): Card[] {
  const of = (title: string, card: TierRates): Card[] => [
    { title, rates: card.rates },
    ...card.above.map((long) => ({
      title: [title === t("prices.standard") ? "" : title, t("prices.aboveTokens", { count: long.input_tokens })].filter(Boolean).join(", "),
      rates: long.rates,
    })),
  ];
  return [
    ...of(t("prices.standard"), version),
    ...SERVICE_TIERS.flatMap((tier) => {
      const card = version[tier];
      return card === null ? [] : of(t(`cost.tier.${tier}`), card);
    }),
  ].filter((card) => Object.keys(card.rates).length > 0);
}

/** Every rate of a price: kinds down, contexts and service tiers across. */
export function RateTable({ version, label }: { version: PriceVersion; label: string }) {
  const columns = cards(version);
  const kinds = rateKinds(Object.assign({}, ...columns.map(({ rates }) => rates)) as Rates);
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="border-collapse text-left">
        <thead>
          <tr className="text-xs text-muted">
            <th scope="col" className="py-1 pr-6 font-medium">
              {t("prices.perMillionShort")}
            </th>
            {columns.map(({ title }) => (
              <th key={title} scope="col" className="py-1 pr-6 text-right font-medium whitespace-nowrap">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {kinds.map((kind) => (
            <tr key={kind}>
              <th scope="row" className="py-0.5 pr-6 font-normal whitespace-nowrap" data-tip={kind}>
                {usageLabel(kind)}
              </th>
              {columns.map(({ title, rates }) => (
                <td key={title} className="num py-0.5 pr-6 text-right">
                  {rates[kind] === undefined ? <span className="text-muted">{NONE}</span> : formatCostExact(rates[kind])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** All periods of a price, the latest first. */
export function Periods({ versions, model }: { versions: readonly PriceVersion[]; model: string }) {
  const sorted = [...versions].sort((one, other) => (other.from ?? "").localeCompare(one.from ?? ""));
  return (
    <div className="flex flex-col gap-4">
      {sorted.map((version) => (
        <section key={version.from ?? ""}>
          {(sorted.length > 1 || version.from !== null) && (
            <h3 className="mb-1 text-xs font-semibold">
              {version.from === null ? t("cost.always") : t("prices.notYet", { day: priceDay(version.from) })}
            </h3>
          )}
          <RateTable version={version} label={`${model}, ${priceDay(version.from)}`} />
        </section>
      ))}
    </div>
  );
}

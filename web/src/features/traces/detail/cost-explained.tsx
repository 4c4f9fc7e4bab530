import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import type { SpanDetail } from "@/api/contract";
import { sentence } from "@/api/error";
import { spanCostQuery, type CostExplanation, type CostLine, type PriceMatch } from "@/api/prices";
import { ErrorNotice } from "@/components/error-notice";
import { CopyButton } from "@/components/ui/copy-button";
import { cx } from "@/components/ui/cx";
import { SkeletonLines } from "@/components/ui/page";
import { t, type Key } from "@/i18n";
import { formatCost, formatCostExact, formatCount, NONE } from "@/lib/format";
import { formatModel } from "@/lib/price-search";
import { usageColour, usageLabel } from "@/lib/usage";

/** What a span costs by kind of token, by which price, and what to do where there is none. */
export function CostExplained({ projectId, span }: { projectId: string; span: SpanDetail }) {
  const cost = useQuery(spanCostQuery(projectId, span.trace_id, span.span_id));
  return (
    <section aria-label={t("cost.title")}>
      <h3 className="mb-2 font-semibold">{t("cost.title")}</h3>
      {cost.data !== undefined ? (
        <Explanation projectId={projectId} span={span} cost={cost.data} />
      ) : cost.isError ? (
        <div className="rounded-lg border border-line">
          <ErrorNotice error={cost.error} onRetry={() => void cost.refetch()} />
        </div>
      ) : (
        <SkeletonLines count={4} />
      )}
    </section>
  );
}

const SOURCES = ["client", "project", "organization", "catalogue", "none"] as const;
const RULES = ["exact", "normalised", "pattern"] as const;
const TIERS = ["standard", "batch", "flex", "priority"] as const;

/** The text of a value that the server may know more of than the app. */
function known<Value extends string>(values: readonly Value[], value: string, key: (value: Value) => Key): string {
  const found = values.find((one) => one === value);
  return found === undefined ? value : t(key(found));
}

interface PartProps {
  projectId: string;
  span: SpanDetail;
  cost: CostExplanation;
}

function Explanation({ projectId, span, cost }: PartProps) {
  const priced = cost.total !== null;
  return (
    <div className="flex flex-col gap-3">
      <div className={cx("flex gap-2 rounded-md px-3 py-2", priced || cost.rolled_up ? "bg-sunken" : "bg-warning-soft text-warning")}>
        {priced || cost.rolled_up ? (
          <Info className="mt-0.5 size-4 shrink-0 text-muted" aria-hidden />
        ) : (
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
        )}
        <div className="min-w-0 flex-1">
          <p className="break-words">{sentence(cost.reason)}</p>
          {!priced && !cost.rolled_up && span.model !== null && span.model !== "" && (
            <Link
              to="/projects/$projectId/settings/prices"
              params={{ projectId }}
              search={{ set: span.model, ...(span.provider !== null && span.provider !== "" && { provider: span.provider }) }}
              className="font-medium underline"
            >
              {t("cost.setPrice", { model: span.model })}
            </Link>
          )}
        </div>
      </div>
      {cost.lines.length > 0 && <Lines cost={cost} />}
      {!cost.current && (
        <p className="rounded-md bg-warning-soft px-3 py-2 text-warning">
          {cost.current_total === null ? t("cost.notCurrentNone") : t("cost.notCurrent", { cost: formatCostExact(cost.current_total) })}{" "}
          <Link
            to="/projects/$projectId/settings/prices"
            params={{ projectId }}
            search={{ tab: "reprice", ...(span.model !== null && span.model !== "" && { models: formatModel({ provider: span.provider, model: span.model }) }) }}
            className="font-medium underline"
          >
            {t("cost.reprice")}
          </Link>
        </p>
      )}
      <Facts projectId={projectId} cost={cost} />
    </div>
  );
}

function Lines({ cost }: { cost: CostExplanation }) {
  return (
    <div className="overflow-x-auto rounded-lg border border-line">
      <table aria-label={t("cost.title")} className="w-full border-collapse">
        <thead>
          <tr className="bg-sunken text-left text-xs text-muted">
            <th scope="col" className="h-8 px-3 font-medium">
              {t("usage.kind")}
            </th>
            <th scope="col" className="h-8 px-3 text-right font-medium">
              {t("usage.tokens")}
            </th>
            <th scope="col" className="h-8 px-3 text-right font-medium whitespace-nowrap">
              {t("cost.unit")}
            </th>
            <th scope="col" className="h-8 px-3 text-right font-medium">
              {t("cost.amount")}
            </th>
          </tr>
        </thead>
        <tbody>
          {cost.lines.map((line) => (
            <tr key={line.kind} className="border-t border-line">
              <th scope="row" className="px-3 py-1 text-left font-normal">
                <span className="flex items-center gap-2">
                  <span className={cx("size-2 shrink-0 rounded-xs", usageColour(line.kind))} aria-hidden />
                  <span data-tip={line.kind}>{usageLabel(line.kind)}</span>
                </span>
              </th>
              <td className="num px-3 py-1 text-right">{formatCount(line.tokens)}</td>
              <td className="px-3 py-1 text-right">
                <UnitPrice line={line} source={cost.source} />
              </td>
              <td className="num px-3 py-1 text-right" data-tip={line.cost === null ? undefined : formatCost(line.cost)}>
                {line.cost === null ? NONE : formatCostExact(line.cost)}
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="border-t border-line-strong font-semibold">
            <th scope="row" colSpan={3} className="px-3 py-1.5 text-left">
              {t("usage.total")}
            </th>
            <td className="num px-3 py-1.5 text-right">{cost.total === null ? NONE : formatCostExact(cost.total)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

function UnitPrice({ line, source }: { line: CostLine; source: string }) {
  if (line.unit_price === null) {
    return line.cost === null && line.tokens > 0 && source !== "client" ? (
      <span className="text-xs text-warning">{t("cost.noRate")}</span>
    ) : (
      <span className="text-muted">{NONE}</span>
    );
  }
  return (
    <>
      <span className="num">{formatCostExact(line.unit_price)}</span>
      {line.unit_price_kind !== null && line.unit_price_kind !== line.kind && (
        <span className="block text-2xs text-muted">{t("cost.ofKind", { kind: usageLabel(line.unit_price_kind) })}</span>
      )}
    </>
  );
}

function Facts({ projectId, cost }: { projectId: string; cost: CostExplanation }) {
  const { match } = cost;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
      <Fact name={t("cost.source")}>{known(SOURCES, cost.source, (source) => `cost.source.${source}`)}</Fact>
      {match !== null && <MatchFacts match={match} />}
      <Fact name={t("cost.tier")}>{known(TIERS, cost.service_tier, (tier) => `cost.tier.${tier}`)}</Fact>
      {cost.context_tier !== null && <Fact name={t("cost.context")}>{t("cost.contextAbove", { count: cost.context_tier })}</Fact>}
      {cost.price_id !== null && cost.price_id !== "" && (
        <Fact name={t("cost.price")}>
          <code className="code min-w-0 break-all">{cost.price_id}</code>
          <CopyButton text={cost.price_id} />
        </Fact>
      )}
      <dt />
      <dd>
        <Link to="/projects/$projectId/settings/prices" params={{ projectId }} className="text-accent hover:underline">
          {t("cost.editPrices")}
        </Link>
      </dd>
    </dl>
  );
}

/** Which entry of which list, and why that one. */
export function MatchFacts({ match, withSource = false }: { match: PriceMatch; withSource?: boolean }) {
  return (
    <>
      {withSource && <Fact name={t("cost.source")}>{known(SOURCES, match.scope, (source) => `cost.source.${source}`)}</Fact>}
      <Fact name={t("cost.entry")}>
        <code className="code min-w-0 break-all">
          {match.provider === "" ? match.model : `${match.provider}/${match.model}`}
        </code>
      </Fact>
      <Fact name={t("cost.rule")}>{known(RULES, match.rule, (rule) => `cost.rule.${rule}`)}</Fact>
      <Fact name={t("cost.from")}>{match.version.from ?? t("cost.always")}</Fact>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1">{children}</dd>
    </>
  );
}

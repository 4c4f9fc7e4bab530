import type { SpanDetail } from "@/api/contract";
import { cx } from "@/components/ui/cx";
import { t } from "@/i18n";
import { formatCount } from "@/lib/format";
import { formatShare, splitUsage, usageColour, usageLabel, type UsagePart } from "@/lib/usage";
import { CostExplained } from "./cost-explained";

/** What the model read and wrote, by kind, and what that costs and why. */
export function UsageTab({ projectId, span }: { projectId: string; span: SpanDetail }) {
  const usage = splitUsage(span.usage_details);
  const total = usage.inputTotal + usage.outputTotal;
  if (total === 0 && span.total_cost === null && usage.input.length + usage.output.length === 0) {
    return <p className="p-4 text-muted">{t("usage.none")}</p>;
  }
  return (
    <div className="@container flex flex-col gap-6 px-4 py-3">
      <section aria-label={t("usage.title")}>
        <h3 className="mb-2 font-semibold">{t("usage.title")}</h3>
        <div className="grid gap-3 @xl:grid-cols-2">
          <Side title={t("usage.read")} parts={usage.input} total={usage.inputTotal} />
          <Side title={t("usage.written")} parts={usage.output} total={usage.outputTotal} />
        </div>
        {span.client_total_tokens !== null && span.client_total_tokens !== total && (
          <p className="mt-2 text-xs text-muted">{t("usage.client", { count: span.client_total_tokens })}</p>
        )}
      </section>
      <CostExplained projectId={projectId} span={span} />
    </div>
  );
}

interface SideProps {
  title: string;
  parts: readonly UsagePart[];
  total: number;
}

function Side({ title, parts, total }: SideProps) {
  return (
    <div className="rounded-lg border border-line px-3 py-2">
      <div className="flex items-baseline justify-between gap-2">
        <h4 className="text-muted">{title}</h4>
        <span className="num font-semibold">{formatCount(total)}</span>
      </div>
      <div
        role="img"
        aria-label={`${t("usage.bar")}: ${parts.map(({ kind, tokens }) => `${usageLabel(kind)} ${formatShare(tokens, total)}`).join(", ")}`}
        className="my-2 flex h-2 gap-px overflow-hidden rounded-full bg-hover"
      >
        {parts
          .filter(({ tokens }) => tokens > 0)
          .map(({ kind, tokens }) => (
            <span
              key={kind}
              className={cx("min-w-0.5", usageColour(kind))}
              style={{ width: `${(tokens / total) * 100}%` }}
              data-tip={`${usageLabel(kind)}: ${formatCount(tokens)}`}
            />
          ))}
      </div>
      <dl>
        {parts.map(({ kind, tokens }) => (
          <div key={kind} className="flex items-center gap-2 py-0.5">
            <span className={cx("size-2 shrink-0 rounded-xs", usageColour(kind))} aria-hidden />
            <dt className="min-w-0 flex-1 truncate" data-tip={kind}>
              {usageLabel(kind)}
            </dt>
            <dd className="flex items-baseline gap-2">
              <span className="num">{formatCount(tokens)}</span>
              <span className="num w-10 text-right text-xs text-muted">{formatShare(tokens, total)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

import { useState } from "react";
import { prices, type PriceMatch } from "@/api/prices";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Section } from "@/components/ui/page";
import { MatchFacts } from "@/features/traces/detail/cost-explained";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { RateTable } from "./rates";

/** Which price a span with a model would get, on a day. */
export function PriceTest({ projectId }: { projectId: string }) {
  const [found, setFound] = useState<{ model: string; match: PriceMatch | null } | null>(null);
  const form = useForm({ provider: "", model: "", start_time: "" }, async (values) => {
    const model = values.model.trim();
    setFound(null);
    const { match } = await prices.match(projectId, {
      model,
      ...(values.provider.trim() !== "" && { provider: values.provider.trim() }),
      // The end of the day would be the price of the next one for those who are ahead of UTC.
      ...(values.start_time !== "" && { start_time: `${values.start_time}T12:00:00Z` }),
    });
    setFound({ model, match });
  });
  return (
    <Section title={t("prices.test")} description={t("prices.testText")}>
      <form onSubmit={form.onSubmit} className="flex flex-wrap items-start gap-3">
        <TextInput label={t("prices.provider")} autoComplete="off" spellCheck={false} className="w-40 max-sm:w-full" {...form.field("provider")} />
        <TextInput label={t("prices.model")} required autoComplete="off" spellCheck={false} className="min-w-48 flex-1" {...form.field("model")} />
        <TextInput label={t("prices.testDay")} type="date" hint={t("prices.testDayHint")} className="w-40 max-sm:w-full" {...form.field("start_time")} />
        <Button type="submit" disabled={form.busy || form.values.model.trim() === ""} className="h-8 sm:mt-6">
          {t("prices.testSubmit")}
        </Button>
      </form>
      <div aria-live="polite">
        {form.failure !== null && (
          <div className="mt-3">
            <FormError failure={form.failure} />
          </div>
        )}
        {found !== null && found.match === null && (
          <p className="mt-3 rounded-md bg-warning-soft px-3 py-2 break-words text-warning">{t("prices.testNone", { model: found.model })}</p>
        )}
        {found !== null && found.match !== null && (
          <div className="mt-3 flex flex-col gap-3 border-t border-line pt-3">
            <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1">
              <MatchFacts match={found.match} withSource />
            </dl>
            <RateTable version={found.match.version} label={found.model} />
          </div>
        )}
      </div>
    </Section>
  );
}

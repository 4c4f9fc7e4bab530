import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { isOpen, repricings, repricingsQuery, type Repricing, type RepricingBody } from "@/api/prices";
import { Button } from "@/components/ui/button";
import { Select, TextArea, TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { t } from "@/i18n";
import { parseModels } from "@/lib/price-search";
import { useForm } from "@/lib/use-form";
import { RepricingHistory } from "./repricing-history";
import { RepricingResultView } from "./repricing-result";

const RANGES = ["7", "30", "90", "all", "custom"] as const;
type Range = (typeof RANGES)[number];

interface RepriceProps {
  projectId: string;
  /** Models to begin with, one per line. */
  models: string;
  denied: string | false;
}

/** Prices stored spans anew: first the difference, then on demand the change. */
export function Reprice({ projectId, models, denied }: RepriceProps) {
  const client = useQueryClient();
  const list = useQuery(repricingsQuery(projectId));
  const [chosen, setChosen] = useState<string | null>(null);
  const running = list.data?.find(isOpen);
  const shown = running ?? list.data?.find(({ id }) => id === chosen);
  const start = async (body: RepricingBody) => {
    const made = await repricings.create(projectId, body);
    client.setQueryData<Repricing[]>(repricingsQuery(projectId).queryKey, (before) => [made, ...(before ?? [])]);
    setChosen(made.id);
    await client.invalidateQueries({ queryKey: repricingsQuery(projectId).queryKey });
  };
  return (
    <div className="flex flex-col gap-5">
      <p className="max-w-2xl text-muted">{t("reprice.text")}</p>
      <RepriceForm models={models} denied={denied} running={running !== undefined} onPreview={start} />
      {shown !== undefined && (
        <RepricingResultView
          key={shown.id}
          projectId={projectId}
          repricing={shown}
          denied={denied}
          onApply={() =>
            start({
              mode: "apply",
              ...(shown.start_time !== null && { start_time: shown.start_time }),
              ...(shown.end_time !== null && { end_time: shown.end_time }),
              ...(shown.models.length > 0 && {
                models: shown.models.map(({ provider, model }) => ({
                  model,
                  ...(provider !== null && provider !== "" && { provider }),
                })),
              }),
            })
          }
        />
      )}
      <RepricingHistory
        rows={list.data}
        error={list.error}
        onRetry={() => void list.refetch()}
        onShow={(row) => {
          setChosen(row.id);
          globalThis.scrollTo({ top: 0 });
        }}
      />
    </div>
  );
}

interface RepriceFormProps {
  models: string;
  denied: string | false;
  running: boolean;
  onPreview: (body: RepricingBody) => Promise<void>;
}

function RepriceForm({ models, denied, running, onPreview }: RepriceFormProps) {
  const initial: { range: Range; start_time: string; end_time: string; models: string } = { range: "30", start_time: "", end_time: "", models };
  const form = useForm(
    initial,
    async (values) => {
      const wanted = parseModels(values.models);
      await onPreview({ mode: "preview", ...bounds(values), ...(wanted.length > 0 && { models: wanted }) });
    },
    (field) => field in initial,
  );
  const { range } = form.values;
  return (
    <form onSubmit={form.onSubmit} className="grid max-w-3xl items-start gap-3 sm:grid-cols-2">
      <div className="flex flex-col gap-3">
        <Select<Range>
          label={t("reprice.range")}
          value={range}
          onChange={(value) => form.set({ range: value })}
          options={RANGES.map((value) => ({ value, label: t(`reprice.range.${value}`) }))}
        />
        {range === "custom" && (
          <div className="grid grid-cols-2 gap-3">
            <TextInput label={t("reprice.start")} type="date" {...form.field("start_time")} />
            <TextInput label={t("reprice.end")} type="date" {...form.field("end_time")} />
          </div>
        )}
      </div>
      <TextArea label={t("reprice.models")} hint={t("reprice.modelsHint")} spellCheck={false} rows={2} {...form.field("models")} />
      <div className="flex flex-col items-start gap-3 sm:col-span-2">
        <FormError failure={form.failure} message={form.failure?.detail("reason") === "REPRICING_RUNNING" ? t("reprice.conflict") : undefined} />
        <Button type="submit" variant="primary" denied={denied} disabled={form.busy || running}>
          {t("reprice.preview")}
        </Button>
      </div>
    </form>
  );
}

function bounds({ range, start_time: from, end_time: to }: { range: Range; start_time: string; end_time: string }) {
  if (range === "all") return {};
  if (range === "custom") {
    return {
      ...(from !== "" && { start_time: `${from}T00:00:00Z` }),
      ...(to !== "" && { end_time: `${to}T00:00:00Z` }),
    };
  }
  return { start_time: new Date(Date.now() - Number(range) * 86_400_000).toISOString() };
}

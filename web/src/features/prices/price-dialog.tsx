import { useQuery, useQueryClient } from "@tanstack/react-query";
import { X } from "lucide-react";
import { ApiError } from "@/api/error";
import { PRICES_KEY, prices, similarQuery, type CataloguePrice, type ModelPrice, type PriceScope } from "@/api/prices";
import { IconButton, Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { formatCostExact } from "@/lib/format";
import {
  copyVersion,
  emptyVersion,
  readPrice,
  searchFor,
  SERVICE_TIERS,
  versionInput,
  versionOn,
  type CardInput,
  type Faults,
  type PriceInput,
  type VersionInput,
} from "@/lib/price-form";
import { useForm } from "@/lib/use-form";
import { CardFields, Fold } from "./rate-fields";
import { today } from "./rates";

interface PriceDialogProps {
  scope: PriceScope;
  /** A project to look through the catalogue by; without one there are no suggestions. */
  projectId: string | undefined;
  /** What is changed; nothing for a new price. */
  price: ModelPrice | null;
  /** What a new price begins with. */
  initial?: Partial<PriceInput>;
  onClose: () => void;
}

const SHOWN = /^(provider|model|prices\[\d+\].*)$/;

/** Makes or changes an own price: rates by kind, for long contexts and service tiers, each from a day on. */
export function PriceDialog({ scope, projectId, price, initial, onClose }: PriceDialogProps) {
  const client = useQueryClient();
  const start: PriceInput =
    price === null
      ? { provider: initial?.provider ?? "", model: initial?.model ?? "", versions: initial?.versions ?? [emptyVersion()] }
      : { provider: price.provider, model: price.model, versions: price.prices.map(versionInput) };
  const form = useForm<PriceInput>(
    start,
    async (values) => {
      const { body, faults } = readPrice(values);
      if (Object.keys(faults).length > 0) throw invalid(faults);
      if (price === null) await prices.create(scope, body);
      else await prices.update(scope, price.id, body);
      await client.invalidateQueries({ queryKey: PRICES_KEY });
      toast({ text: t(price === null ? "prices.added" : "prices.saved", { model: body.model }) });
      onClose();
    },
    (field) => SHOWN.test(field),
  );
  const { versions } = form.values;
  const setVersion = (index: number, version: VersionInput, path: string) =>
    form.set({ versions: versions.map((one, place) => (place === index ? version : one)) }, path);
  return (
    <FormDialog
      open
      onClose={onClose}
      title={t(price === null ? "prices.add" : "prices.edit")}
      form={form}
      submit={t(price === null ? "prices.add" : "action.save")}
      className="w-[min(680px,calc(100vw-24px))]"
    >
      <div className="grid gap-3 sm:grid-cols-[2fr_3fr]">
        <TextInput label={t("prices.provider")} hint={t("prices.providerHint")} autoComplete="off" spellCheck={false} {...form.field("provider")} />
        <TextInput label={t("prices.model")} hint={t("prices.modelHint")} autoComplete="off" spellCheck={false} required {...form.field("model")} />
      </div>
      {price === null && projectId !== undefined && (
        <Suggestions
          projectId={projectId}
          model={form.values.model}
          onChoose={(entry) => {
            const version = versionOn(entry.prices, today());
            if (version !== undefined) form.set({ versions: [{ ...versionInput(version), from: versions[0]?.from ?? "" }] }, "prices");
          }}
        />
      )}
      <p className="text-xs text-muted">{t("prices.perMillion")}</p>
      {versions.map((version, index) => (
        <Period
          key={version.key}
          number={versions.length > 1 ? index + 1 : null}
          at={`prices[${index}]`}
          version={version}
          faults={form.errors}
          onChange={(changed, path) => setVersion(index, changed, path)}
          onRemove={() => form.set({ versions: versions.filter((_, place) => place !== index) }, "prices")}
        />
      ))}
      <Button
        variant="ghost"
        className="self-start"
        onClick={() => {
          const last = versions.at(-1);
          form.set({ versions: [...versions, last === undefined ? emptyVersion() : copyVersion(last, today())] });
        }}
      >
        {t("prices.addPeriod")}
      </Button>
    </FormDialog>
  );
}

/** As the server would say it, so that it is shown in the same places. */
function invalid(faults: Faults): ApiError {
  const details = Object.entries(faults).map(([field, message]) => ({ field, message }));
  return new ApiError("", 400, "VALIDATION_ERROR", null, details);
}

interface PeriodProps {
  /** Null where there is one only. */
  number: number | null;
  at: string;
  version: VersionInput;
  faults: Faults;
  onChange: (version: VersionInput, path: string) => void;
  onRemove: () => void;
}

function Period({ number, at, version, faults, onChange, onRemove }: PeriodProps) {
  const wrongIn = (path: string) => Object.keys(faults).some((field) => field.startsWith(path));
  const setTier = (tier: (typeof SERVICE_TIERS)[number], card: CardInput, path: string) =>
    onChange({ ...version, tiers: { ...version.tiers, [tier]: card } }, path);
  return (
    <fieldset className="flex flex-col gap-3 rounded-lg border border-line p-3">
      {number !== null && <legend className="px-1 font-semibold">{t("prices.period", { number })}</legend>}
      <div className="flex items-start gap-2">
        <TextInput
          label={t("prices.from")}
          hint={t("prices.fromHint")}
          type="date"
          className="max-w-64 flex-1"
          error={faults[`${at}.from`]}
          value={version.from}
          onChange={(from) => onChange({ ...version, from }, `${at}.from`)}
        />
        {number !== null && (
          <IconButton label={t("prices.removePeriod")} onClick={onRemove} className="ml-auto">
            <X className="size-4" aria-hidden />
          </IconButton>
        )}
      </div>
      <CardFields at={at} card={version} faults={faults} onChange={(card, path) => onChange({ ...version, ...card }, path)} />
      <Fold
        title={t("prices.serviceTiers")}
        open={Object.keys(version.tiers).length > 0}
        forced={SERVICE_TIERS.some((tier) => wrongIn(`${at}.${tier}`))}
      >
        <p className="mb-2 text-xs text-muted">{t("prices.tierText")}</p>
        <div className="flex flex-col gap-3">
          {SERVICE_TIERS.map((tier) => (
            <fieldset key={tier} className="rounded-md border border-line px-3 pb-3">
              <legend className="px-1 font-medium">{t(`cost.tier.${tier}`)}</legend>
              <CardFields
                at={`${at}.${tier}`}
                card={version.tiers[tier] ?? { rates: {}, above: [] }}
                faults={faults}
                onChange={(card, path) => setTier(tier, card, path)}
              />
            </fieldset>
          ))}
        </div>
      </Fold>
    </fieldset>
  );
}

interface SuggestionsProps {
  projectId: string;
  model: string;
  onChoose: (entry: CataloguePrice) => void;
}

/** Models of the catalogue with a name like this one, to begin with their rates. */
function Suggestions({ projectId, model, onChoose }: SuggestionsProps) {
  const search = searchFor(model.replaceAll("*", "").trim());
  const similar = useQuery({ ...similarQuery(projectId, search), enabled: search.length >= 3, placeholderData: (previous) => previous });
  if (search.length < 3 || similar.data === undefined) return null;
  return (
    <div>
      <p className="mb-1 text-xs text-muted">{t(similar.data.length === 0 ? "prices.likeNone" : "prices.like")}</p>
      <ul className="flex flex-wrap gap-1.5">
        {similar.data.slice(0, 6).map((entry) => {
          const rates = versionOn(entry.prices, today())?.rates ?? {};
          return (
            <li key={`${entry.provider}/${entry.model}`} className="max-w-full">
              <Button className="max-w-full" onClick={() => onChoose(entry)}>
                <span className="truncate">{entry.model}</span>
                <span className="num text-xs text-muted">
                  {[rates.input, rates.output].filter((rate) => rate !== undefined).map((rate) => formatCostExact(rate)).join(" → ")}
                </span>
              </Button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

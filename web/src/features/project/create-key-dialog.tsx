import { useState } from "react";
import { apiKeys, type KeyScope, type NewApiKey } from "@/api/identity";
import { Checkbox, Select, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { t } from "@/i18n";
import { toggleScope } from "@/lib/key-scopes";
import { useForm } from "@/lib/use-form";

type Expiry = "30days" | "90days" | "never" | "date";

const EXPIRIES: readonly Expiry[] = ["30days", "90days", "date", "never"];
const SCOPES: readonly KeyScope[] = ["full", "ingest", "read", "gateway"];

interface CreateKeyDialogProps {
  projectId: string;
  onClose: () => void;
  onDone: (made: NewApiKey) => void;
}

export function CreateKeyDialog({ projectId, onClose, onDone }: CreateKeyDialogProps) {
  const form = useForm<{ name: string; scopes: KeyScope[]; expiry: Expiry; expires_at: string }>(
    { name: "", scopes: ["full"] as KeyScope[], expiry: "90days", expires_at: "" },
    async ({ name, scopes, expiry, expires_at: day }) => {
      onDone(
        await apiKeys.create(projectId, {
          name: name.trim(),
          scopes,
          // The key holds until the end of the day in the reader's zone.
          ...(expiry === "date" ? { expires_at: new Date(`${day}T23:59:59`).toISOString() } : { expiry_option: expiry }),
        }),
      );
    },
  );
  const { name, scopes, expiry, expires_at: day } = form.values;
  const [tomorrow] = useState(() => new Date(Date.now() + 86_400_000).toISOString().slice(0, 10));
  const ready = name.trim().length >= 2 && scopes.length > 0 && (expiry !== "date" || day !== "");
  return (
    <FormDialog open onClose={onClose} title={t("keys.create")} form={form} submit={t("keys.createSubmit")} disabled={!ready} className="w-[min(480px,calc(100vw-24px))]">
      <TextInput label={t("keys.name")} hint={t("keys.nameHint")} autoComplete="off" maxLength={100} {...form.field("name")} />
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1 font-medium">{t("keys.scopes")}</legend>
        {SCOPES.map((scope) => (
          <Checkbox
            key={scope}
            label={t(`keys.scope.${scope}`)}
            hint={t(`keys.scope.${scope}.text`)}
            checked={scopes.includes(scope)}
            onChange={() => form.set({ scopes: toggleScope(scopes, scope) })}
          />
        ))}
      </fieldset>
      <div className="grid grid-cols-2 gap-3">
        <Select
          label={t("sessions.expires")}
          options={EXPIRIES.map((value) => ({ value, label: t(`keys.expiry.${value}`) }))}
          {...form.field("expiry")}
        />
        {expiry === "date" && <TextInput label={t("keys.until")} type="date" min={tomorrow} {...form.field("expires_at")} />}
      </div>
    </FormDialog>
  );
}

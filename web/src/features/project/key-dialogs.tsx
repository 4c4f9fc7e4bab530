import { apiKeys, type ApiKeyView, type NewApiKey } from "@/api/identity";
import { Select, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";

interface KeyDialogProps<Output> {
  projectId: string;
  row: ApiKeyView;
  onClose: () => void;
  onDone: (output: Output) => void;
}

const OVERLAPS = ["0", "1", "24", "72", "168"] as const;

/** A new key in place of an old one, which still works for a while so that nothing breaks. */
export function RotateKeyDialog({ projectId, row, onClose, onDone }: KeyDialogProps<NewApiKey>) {
  const form = useForm({ overlap: "24" }, async ({ overlap }) =>
    onDone(await apiKeys.rotate(projectId, row.id, Number(overlap))),
  );
  return (
    <FormDialog open onClose={onClose} title={t("keys.rotateTitle", { name: row.name })} form={form} submit={t("keys.rotate")} className="w-[min(440px,calc(100vw-24px))]">
      <p>{t("keys.rotateText")}</p>
      <Select label={t("keys.overlap")} options={OVERLAPS.map((value) => ({ value, label: t(`keys.overlap.${value}`) }))} {...form.field("overlap")} />
    </FormDialog>
  );
}

export function RenameKeyDialog({ projectId, row, onClose, onDone }: KeyDialogProps<undefined>) {
  const form = useForm({ name: row.name }, async ({ name }) => {
    await apiKeys.rename(projectId, row.id, name.trim());
    toast({ text: t("toast.saved") });
    onDone(undefined);
  });
  return (
    <FormDialog open onClose={onClose} title={t("keys.renameTitle")} form={form} submit={t("action.save")} disabled={form.values.name.trim().length < 2} className="w-[min(440px,calc(100vw-24px))]">
      <TextInput label={t("keys.name")} autoComplete="off" maxLength={100} {...form.field("name")} />
    </FormDialog>
  );
}

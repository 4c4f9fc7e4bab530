import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { admin } from "@/api/identity";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { Checkbox, PasswordInput, TextInput } from "@/components/ui/field";
import { FormDialog } from "@/components/ui/form-dialog";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";

/** Makes an account. Without a password, its owner sets one by a link that is shown once and mailed where mail is sent. */
export function CreateUserDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [link, setLink] = useState<{ email: string; link: string } | null>(null);
  const form = useForm({ email: "", first_name: "", last_name: "", password: "", is_admin: false }, async ({ password, ...person }) => {
    const made = await admin.createUser({ ...person, email: person.email.trim(), ...(password !== "" && { password }) });
    void client.invalidateQueries({ queryKey: ["admin", "users"] });
    if (made.password_reset_link === null) {
      toast({ text: t("admin.userCreated", { email: made.user.email }) });
      onClose();
    } else {
      setLink({ email: made.user.email, link: made.password_reset_link });
    }
  });
  if (link !== null) {
    return (
      <Dialog open onClose={onClose} stays title={t("admin.linkTitle")}>
        <div className="flex flex-col gap-4">
          <p>{t("admin.linkText", { email: link.email })}</p>
          <div className="flex items-center gap-2 rounded-md border border-line-strong bg-sunken py-1 pr-1 pl-3">
            <code className="code min-w-0 flex-1 break-all select-all">{link.link}</code>
            <CopyButton text={link.link} size="md" />
          </div>
          <Button variant="primary" data-autofocus className="self-end" onClick={onClose}>
            {t("action.done")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <FormDialog open onClose={onClose} title={t("admin.createUser")} form={form} submit={t("admin.createSubmit")} disabled={form.values.email.trim() === ""} className="w-[min(480px,calc(100vw-24px))]">
      <TextInput label={t("login.email")} type="email" autoComplete="off" {...form.field("email")} />
      <div className="grid grid-cols-2 gap-3">
        <TextInput label={t("person.firstName")} autoComplete="off" {...form.field("first_name")} />
        <TextInput label={t("person.lastName")} autoComplete="off" {...form.field("last_name")} />
      </div>
      <PasswordInput label={t("admin.passwordOptional")} hint={t("admin.passwordHint")} autoComplete="new-password" {...form.field("password")} />
      <Checkbox
        label={t("admin.platformAdmin")}
        hint={t("admin.platformAdminText")}
        checked={form.values.is_admin}
        onChange={(checked) => form.set({ is_admin: checked })}
      />
    </FormDialog>
  );
}

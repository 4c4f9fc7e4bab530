import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, Link } from "@tanstack/react-router";
import { useState } from "react";
import { auth } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { AuthPage, Notice } from "./auth-page";

export const route = createLazyRoute("/forgot-password")({ component: ForgotPasswordPage });

function ForgotPasswordPage() {
  const { data: options } = useQuery(authOptionsQuery());
  const [sentTo, setSentTo] = useState<string | null>(null);
  const form = useForm({ email: "" }, async ({ email }) => {
    await auth.forgotPassword(email.trim());
    setSentTo(email.trim());
  });
  return (
    <AuthPage title={t("forgot.title")} lead={sentTo === null ? t("forgot.lead") : undefined}>
      {sentTo === null ? (
        <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
          <FormError failure={form.failure} />
          <TextInput label={t("login.email")} type="email" autoComplete="username" required large {...form.field("email")} />
          <Button type="submit" variant="primary" disabled={form.busy} className="h-9 text-base">
            {t("forgot.submit")}
          </Button>
        </form>
      ) : (
        <Notice tone="good">{t("forgot.sent", { email: sentTo })}</Notice>
      )}
      {options?.mail === false && <p className="rounded-md bg-warning-soft px-3 py-2 text-warning">{t("mail.none")}</p>}
      <Link to="/login" className="self-start text-accent hover:underline">
        {t("code.back")}
      </Link>
    </AuthPage>
  );
}

import { useQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { auth } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { PasswordInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { AuthPage } from "./auth-page";

export const route = createLazyRoute("/reset-password")({ component: ResetPasswordPage });
const api = getRouteApi("/reset-password");

function ResetPasswordPage() {
  const { token } = api.useSearch();
  const { data: options } = useQuery(authOptionsQuery());
  const [done, setDone] = useState(false);
  const form = useForm({ new_password: "" }, async ({ new_password }) => {
    await auth.resetPassword({ token: token ?? "", new_password });
    setDone(true);
  });
  if (done) {
    return (
      <AuthPage title={t("reset.doneTitle")} lead={t("reset.doneText")}>
        <Link
          to="/login"
          className="flex h-9 items-center justify-center rounded-md bg-accent text-base font-medium text-on-accent hover:bg-accent-hover"
        >
          {t("login.submit")}
        </Link>
      </AuthPage>
    );
  }
  const bad = token === undefined || form.failure?.fieldErrors.token !== undefined;
  return (
    <AuthPage title={t("reset.title")} lead={t(bad ? "reset.bad" : "reset.lead")}>
      {!bad && (
        <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
          <FormError failure={form.failure} />
          <PasswordInput
            label={t("password.new")}
            autoComplete="new-password"
            required
            large
            minLength={options?.password.min_length}
            maxLength={options?.password.max_length}
            hint={t("password.hint", { count: options?.password.min_length ?? 12 })}
            {...form.field("new_password")}
          />
          <Button type="submit" variant="primary" disabled={form.busy} className="h-9 text-base">
            {t("reset.submit")}
          </Button>
        </form>
      )}
      {bad && (
        <Link to="/forgot-password" className="self-start text-accent hover:underline">
          {t("reset.again")}
        </Link>
      )}
    </AuthPage>
  );
}

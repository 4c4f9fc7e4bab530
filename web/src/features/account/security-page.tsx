import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { users } from "@/api/identity";
import { authOptionsQuery } from "@/api/identity-queries";
import { Button } from "@/components/ui/button";
import { PasswordInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Section, SettingsPage } from "@/components/ui/page";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";
import { SecondFactorSection } from "./second-factor";

export const route = createLazyRoute("/app/account/security")({ component: SecurityPage });

function SecurityPage() {
  return (
    <SettingsPage title={t("account.security")}>
      <PasswordSection />
      <SecondFactorSection />
    </SettingsPage>
  );
}

function PasswordSection() {
  const client = useQueryClient();
  const { data: options } = useQuery(authOptionsQuery());
  const shortest = options?.password.min_length ?? 12;
  const form = useForm({ current_password: "", new_password: "" }, async (values, reset) => {
    await users.changePassword(values);
    reset();
    await client.invalidateQueries({ queryKey: ["sessions"] });
    toast({ text: t("password.changed") });
  });
  return (
    <Section title={t("password.title")} description={t("password.text")}>
      <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <PasswordInput
            label={t("password.current")}
            autoComplete="current-password"
            required
            {...form.field("current_password")}
          />
          <PasswordInput
            label={t("password.new")}
            autoComplete="new-password"
            required
            minLength={shortest}
            maxLength={options?.password.max_length}
            hint={t("password.hint", { count: shortest })}
            {...form.field("new_password")}
          />
        </div>
        <FormError failure={form.failure} />
        <Button type="submit" variant="primary" disabled={form.busy} className="self-start">
          {t("password.submit")}
        </Button>
      </form>
    </Section>
  );
}

import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute } from "@tanstack/react-router";
import { users, type Me } from "@/api/identity";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { TextInput } from "@/components/ui/field";
import { FormError } from "@/components/ui/form-error";
import { Section, SettingsPage } from "@/components/ui/page";
import { Time } from "@/components/ui/time";
import { toast } from "@/components/ui/toast-store";
import { t } from "@/i18n";
import { useForm } from "@/lib/use-form";

export const route = createLazyRoute("/app/account/")({ component: ProfilePage });

function ProfilePage() {
  const client = useQueryClient();
  const { data } = useSuspenseQuery(meQuery());
  const me: Me = data;
  const form = useForm({ first_name: me.first_name, last_name: me.last_name }, async (values) => {
    await users.updateMe(values);
    await client.invalidateQueries({ queryKey: ["me"] });
    toast({ text: t("toast.saved") });
  });
  const changed = form.values.first_name !== me.first_name || form.values.last_name !== me.last_name;
  return (
    <SettingsPage title={t("account.profile")}>
      <Section title={t("profile.name")} description={t("profile.nameText")}>
        <form onSubmit={form.onSubmit} className="flex flex-col gap-4">
          <div className="grid gap-4 sm:grid-cols-2">
            <TextInput label={t("person.firstName")} autoComplete="given-name" {...form.field("first_name")} />
            <TextInput label={t("person.lastName")} autoComplete="family-name" {...form.field("last_name")} />
          </div>
          <FormError failure={form.failure} />
          <Button type="submit" variant="primary" disabled={form.busy || !changed} className="self-start">
            {t("action.save")}
          </Button>
        </form>
      </Section>
      <Section title={t("profile.account")}>
        <dl className="grid grid-cols-[auto_1fr] items-center gap-x-6 gap-y-2">
          <dt className="text-muted">{t("login.email")}</dt>
          <dd className="flex min-w-0 flex-wrap items-center gap-2">
            <span className="truncate">{me.email}</span>
            <Badge tone={me.email_verified ? "plain" : "warning"}>
              {t(me.email_verified ? "profile.verified" : "profile.notVerified")}
            </Badge>
          </dd>
          <dt className="text-muted">{t("profile.id")}</dt>
          <dd className="flex min-w-0 items-center gap-1">
            <code className="code truncate">{me.id}</code>
            <CopyButton text={me.id} />
          </dd>
          <dt className="text-muted">{t("profile.since")}</dt>
          <dd>
            <Time value={me.created_at} />
          </dd>
        </dl>
      </Section>
    </SettingsPage>
  );
}

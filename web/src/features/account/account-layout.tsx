import { useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, Outlet } from "@tanstack/react-router";
import { Building2, MailOpen, MonitorSmartphone, ShieldCheck, User } from "lucide-react";
import { meQuery } from "@/api/queries";
import { SettingsLayout, SideLink } from "@/components/ui/page";
import { t } from "@/i18n";

export const route = createLazyRoute("/app/account")({ component: AccountLayout });

function AccountLayout() {
  const { data: me } = useSuspenseQuery(meQuery());
  return (
    <SettingsLayout
      title={t("nav.account")}
      context={me.email}
      navigation={
        <>
          <SideLink to="/account" activeOptions={{ exact: true }} icon={User} label={t("account.profile")} />
          <SideLink to="/account/security" icon={ShieldCheck} label={t("account.security")} />
          <SideLink to="/account/sessions" icon={MonitorSmartphone} label={t("account.sessions")} />
          <SideLink to="/account/organizations" icon={Building2} label={t("account.organizations")} />
          <SideLink to="/account/invitations" icon={MailOpen} label={t("account.invitations")} />
        </>
      }
    >
      <Outlet />
    </SettingsLayout>
  );
}

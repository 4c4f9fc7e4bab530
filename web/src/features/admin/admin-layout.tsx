import { useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, Outlet } from "@tanstack/react-router";
import { Building2, Clock, ListChecks, Mails, ScrollText, SlidersHorizontal, Users } from "lucide-react";
import { meQuery } from "@/api/queries";
import { PageHeader, SettingsLayout, SideLink } from "@/components/ui/page";
import { t } from "@/i18n";

export const route = createLazyRoute("/app/admin")({ component: AdminLayout });

function AdminLayout() {
  const { data: me } = useSuspenseQuery(meQuery());
  if (!me.is_admin) {
    return (
      <>
        <PageHeader title={t("nav.admin")} />
        <div className="mx-auto flex h-full max-w-md flex-col justify-center gap-2 p-6">
          <h1 className="text-lg font-semibold">{t("admin.denied")}</h1>
          <p className="text-muted">{t("admin.deniedText")}</p>
        </div>
      </>
    );
  }
  return (
    <SettingsLayout
      title={t("nav.admin")}
      context={location.host}
      navigation={
        <>
          <SideLink to="/admin/users" icon={Users} label={t("admin.users")} />
          <SideLink to="/admin/organizations" icon={Building2} label={t("account.organizations")} />
          <SideLink to="/admin/jobs" activeOptions={{ includeSearch: false }} icon={ListChecks} label={t("admin.jobs")} />
          <SideLink to="/admin/schedules" icon={Clock} label={t("admin.schedules")} />
          <SideLink to="/admin/outbox" icon={Mails} label={t("admin.outbox")} />
          <SideLink to="/admin/settings" icon={SlidersHorizontal} label={t("settings.title")} />
          <SideLink to="/admin/audit-log" activeOptions={{ includeSearch: false }} icon={ScrollText} label={t("audit.title")} />
        </>
      }
    >
      <Outlet />
    </SettingsLayout>
  );
}

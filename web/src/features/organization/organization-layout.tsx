import { useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { Building2, Coins, FolderKanban, KeyRound, MailPlus, ScrollText, SlidersHorizontal, Users } from "lucide-react";
import { useEffect } from "react";
import { meQuery } from "@/api/queries";
import { PageHeader, SettingsLayout, SideLink } from "@/components/ui/page";
import { t } from "@/i18n";
import { preferences } from "@/lib/preferences";

export const route = createLazyRoute("/app/organizations/$organizationId")({ component: OrganizationLayout });
const api = getRouteApi("/app/organizations/$organizationId");

function OrganizationLayout() {
  const { organizationId } = api.useParams();
  const { data: me } = useSuspenseQuery(meQuery());
  const organization = me.organizations.find(({ id }) => id === organizationId);
  const known = organization !== undefined;
  useEffect(() => {
    if (known) preferences.organization.set(organizationId);
  }, [known, organizationId]);

  if (organization === undefined) {
    return (
      <>
        <PageHeader title={t("nav.organization")} />
        <div className="mx-auto flex h-full max-w-md flex-col items-start justify-center gap-2 p-6">
          <h1 className="text-lg font-semibold">{t("page.notFound")}</h1>
          <p className="text-muted">{t("organization.unknown")}</p>
          <Link to="/account/organizations" className="text-accent underline">
            {t("organization.mine")}
          </Link>
        </div>
      </>
    );
  }
  const to = { params: { organizationId } };
  return (
    <SettingsLayout
      title={t("nav.organization")}
      context={organization.name}
      navigation={
        <>
          <SideLink to="/organizations/$organizationId" {...to} activeOptions={{ exact: true }} icon={Building2} label={t("organization.general")} />
          <SideLink to="/organizations/$organizationId/members" {...to} icon={Users} label={t("members.title")} />
          <SideLink to="/organizations/$organizationId/invitations" {...to} icon={MailPlus} label={t("invitations.title")} />
          <SideLink to="/organizations/$organizationId/projects" {...to} icon={FolderKanban} label={t("projects.title")} />
          <SideLink to="/organizations/$organizationId/roles" {...to} icon={KeyRound} label={t("roles.title")} />
          <SideLink to="/organizations/$organizationId/prices" {...to} icon={Coins} label={t("prices.title")} />
          <SideLink to="/organizations/$organizationId/settings" {...to} icon={SlidersHorizontal} label={t("settings.title")} />
          <SideLink to="/organizations/$organizationId/audit-log" {...to} activeOptions={{ includeSearch: false }} icon={ScrollText} label={t("audit.title")} />
        </>
      }
    >
      {/* Nothing of one organisation may stay in a form of another. */}
      <Outlet key={organizationId} />
    </SettingsLayout>
  );
}

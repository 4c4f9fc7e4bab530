import { useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, Outlet } from "@tanstack/react-router";
import { Coins, KeyRound, Settings2, SlidersHorizontal, Users } from "lucide-react";
import { meQuery } from "@/api/queries";
import { SettingsLayout, SideLink } from "@/components/ui/page";
import { t } from "@/i18n";
import { findProject } from "@/lib/projects";

export const route = createLazyRoute("/app/projects/$projectId/settings")({ component: ProjectSettingsLayout });
const api = getRouteApi("/app/projects/$projectId/settings");

function ProjectSettingsLayout() {
  const { projectId } = api.useParams();
  const { data: me } = useSuspenseQuery(meQuery());
  const to = { params: { projectId } };
  return (
    <SettingsLayout
      title={t("nav.projectSettings")}
      context={findProject(me, projectId)?.project.name}
      navigation={
        <>
          <SideLink to="/projects/$projectId/settings" {...to} activeOptions={{ exact: true }} icon={Settings2} label={t("organization.general")} />
          <SideLink to="/projects/$projectId/settings/api-keys" {...to} icon={KeyRound} label={t("keys.title")} />
          <SideLink to="/projects/$projectId/settings/members" {...to} icon={Users} label={t("members.title")} />
          <SideLink to="/projects/$projectId/settings/prices" {...to} activeOptions={{ includeSearch: false }} icon={Coins} label={t("prices.title")} />
          <SideLink to="/projects/$projectId/settings/options" {...to} icon={SlidersHorizontal} label={t("settings.title")} />
        </>
      }
    >
      <Outlet key={projectId} />
    </SettingsLayout>
  );
}

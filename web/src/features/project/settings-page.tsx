import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { SettingsPage } from "@/components/ui/page";
import { SettingsEditor } from "@/features/settings/settings-editor";
import { t } from "@/i18n";
import { useProjectPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/projects/$projectId/settings/options")({ component: ProjectOptionsPage });
const api = getRouteApi("/app/projects/$projectId/settings/options");

function ProjectOptionsPage() {
  const { projectId } = api.useParams();
  const permissions = useProjectPermissions(projectId);
  return (
    <SettingsPage title={t("settings.title")} description={t("project.settingsText")}>
      <SettingsEditor scope={{ kind: "project", id: projectId }} denied={permissions.denied("settings:write")} />
    </SettingsPage>
  );
}

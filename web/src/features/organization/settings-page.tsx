import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { SettingsPage } from "@/components/ui/page";
import { SettingsEditor } from "@/features/settings/settings-editor";
import { t } from "@/i18n";
import { useOrganizationPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/organizations/$organizationId/settings")({ component: OrganizationSettingsPage });
const api = getRouteApi("/app/organizations/$organizationId/settings");

function OrganizationSettingsPage() {
  const { organizationId } = api.useParams();
  const permissions = useOrganizationPermissions(organizationId);
  return (
    <SettingsPage title={t("settings.title")} description={t("settings.organizationText")}>
      <SettingsEditor scope={{ kind: "organization", id: organizationId }} denied={permissions.denied("settings:write")} />
    </SettingsPage>
  );
}

import { createLazyRoute } from "@tanstack/react-router";
import { SettingsPage } from "@/components/ui/page";
import { SettingsEditor } from "@/features/settings/settings-editor";
import { t } from "@/i18n";

export const route = createLazyRoute("/app/admin/settings")({ component: InstallationSettingsPage });

function InstallationSettingsPage() {
  return (
    <SettingsPage title={t("settings.title")} description={t("admin.settingsText")}>
      <SettingsEditor scope={{ kind: "installation" }} denied={false} />
    </SettingsPage>
  );
}

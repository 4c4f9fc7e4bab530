import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { SettingsPage } from "@/components/ui/page";
import { AuditLog } from "@/features/audit/audit-log";
import { t } from "@/i18n";
import { parseAuditSearch, type AuditSearch } from "@/lib/audit-search";

export const route = createLazyRoute("/app/admin/audit-log")({ component: InstallationAuditPage });
const api = getRouteApi("/app/admin/audit-log");

function InstallationAuditPage() {
  const search = api.useSearch();
  const navigate = useNavigate();
  const change = (patch: Partial<AuditSearch>) =>
    void navigate({
      to: "/admin/audit-log",
      search: (previous) => parseAuditSearch({ ...previous, ...patch }),
      replace: "action" in patch,
    });
  return (
    <SettingsPage title={t("audit.title")} description={t("admin.auditText")} wide>
      <AuditLog organizationId={null} search={search} onChange={change} />
    </SettingsPage>
  );
}

import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { membersQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Select } from "@/components/ui/field";
import { SettingsPage } from "@/components/ui/page";
import { AuditLog, ExportMenu } from "@/features/audit/audit-log";
import { t } from "@/i18n";
import { parseAuditSearch, type AuditSearch } from "@/lib/audit-search";
import { personName } from "@/lib/roles";
import { useOrganizationPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/organizations/$organizationId/audit-log")({ component: AuditPage });
const api = getRouteApi("/app/organizations/$organizationId/audit-log");

function AuditPage() {
  const { organizationId } = api.useParams();
  const search = api.useSearch();
  const navigate = useNavigate();
  const permissions = useOrganizationPermissions(organizationId);
  const { data: me } = useSuspenseQuery(meQuery());
  const { data: members } = useQuery(membersQuery(organizationId));
  const projects = me.organizations.find(({ id }) => id === organizationId)?.projects ?? [];
  const change = (patch: Partial<AuditSearch>) =>
    void navigate({
      to: "/organizations/$organizationId/audit-log",
      params: { organizationId },
      search: (previous) => parseAuditSearch({ ...previous, ...patch }),
      replace: "action" in patch,
    });
  return (
    <SettingsPage
      title={t("audit.title")}
      description={t("audit.text")}
      wide
      actions={<ExportMenu organizationId={organizationId} search={search} denied={permissions.denied("audit-logs:export")} />}
    >
      <AuditLog
        organizationId={organizationId}
        search={search}
        onChange={change}
        filters={
          <>
            <Select
              bare
              label={t("audit.actor")}
              className="w-32"
              value={search.actor ?? ""}
              onChange={(actor) => change({ actor: actor === "" ? undefined : actor })}
              options={[
                { value: "", label: t("audit.anybody") },
                ...(members ?? []).map((member) => ({ value: member.user_id, label: personName(member) })),
              ]}
            />
            <Select
              bare
              label={t("nav.project")}
              className="w-32"
              value={search.project ?? ""}
              onChange={(project) => change({ project: project === "" ? undefined : project })}
              options={[{ value: "", label: t("audit.anyProject") }, ...projects.map(({ id, name }) => ({ value: id, label: name }))]}
            />
          </>
        }
      />
    </SettingsPage>
  );
}

import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi } from "@tanstack/react-router";
import { projects, type ProjectMember } from "@/api/identity";
import { projectMembersQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Select } from "@/components/ui/field";
import { SettingsPage } from "@/components/ui/page";
import { t } from "@/i18n";
import { PROJECT_ROLES } from "@/lib/permissions";
import { personName, roleChoices, roleName } from "@/lib/roles";
import { useAction } from "@/lib/use-action";
import { useProjectPermissions } from "@/lib/use-permissions";

export const route = createLazyRoute("/app/projects/$projectId/settings/members")({ component: ProjectMembersPage });
const api = getRouteApi("/app/projects/$projectId/settings/members");

function ProjectMembersPage() {
  const { projectId } = api.useParams();
  const { data: me } = useSuspenseQuery(meQuery());
  const members = useQuery(projectMembersQuery(projectId));
  const permissions = useProjectPermissions(projectId);
  const denied = permissions.denied("projects:admin");
  const put = (userId: string, role: string | null) =>
    role === null ? projects.clearRole(projectId, userId) : projects.setRole(projectId, userId, role);
  const change = useAction(({ member, role }: { member: ProjectMember; role: string | null }) => put(member.user_id, role), {
    stale: [projectMembersQuery(projectId).queryKey, ["organization"], ["me"]],
    done: ({ member, role }) =>
      t("members.roleChanged", { name: personName(member), role: roleName(role ?? member.organization_role) }),
    undo: ({ member }) => put(member.user_id, member.project_role),
  });
  const columns: Column<ProjectMember>[] = [
    {
      id: "person",
      header: t("members.person"),
      grow: true,
      cell: (row) => (
        <TwoLines first={personName(row)} second={row.email} badge={row.user_id === me.id && <Badge tone="accent">{t("members.you")}</Badge>} />
      ),
    },
    { id: "organization", header: t("project.organizationRole"), from: "md", cell: (row) => roleName(row.organization_role) },
    {
      id: "role",
      header: t("project.roleHere"),
      cell: (row) =>
        denied === false && row.organization_role !== "owner" && row.user_id !== me.id ? (
          <Select
            bare
            label={t("members.roleOf", { name: personName(row) })}
            className="w-36 sm:w-52"
            disabled={change.isPending}
            value={change.isPending && change.variables.member.user_id === row.user_id ? (change.variables.role ?? "") : (row.project_role ?? "")}
            onChange={(role) => change.mutate({ member: row, role: role === "" ? null : role })}
            options={[{ value: "", label: t("members.inherited", { role: roleName(row.organization_role) }) }, ...roleChoices(PROJECT_ROLES)]}
          />
        ) : (
          <span className="px-2.5" data-tip={denied === false ? undefined : denied}>
            {roleName(row.effective_role)}
          </span>
        ),
    },
  ];
  return (
    <SettingsPage title={t("members.title")} description={t("project.membersText")} wide>
      <DataTable
        label={t("members.title")}
        columns={columns}
        rows={members.data}
        rowKey={(row) => row.user_id}
        error={members.error}
        onRetry={() => void members.refetch()}
        empty={<p className="p-4 text-muted">{t("members.none")}</p>}
      />
    </SettingsPage>
  );
}

import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { createLazyRoute, getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { organizations, type MemberView } from "@/api/identity";
import { membersQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { DataTable, TwoLines, type Column } from "@/components/ui/data-table";
import { Select } from "@/components/ui/field";
import { MenuItem, MenuSeparator, RowMenu } from "@/components/ui/menu";
import { SettingsPage } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { Time } from "@/components/ui/time";
import { t } from "@/i18n";
import { mayTouch, rolesUpTo } from "@/lib/permissions";
import { personName, roleChoices, roleName } from "@/lib/roles";
import { useAction } from "@/lib/use-action";
import { useOrganizationPermissions } from "@/lib/use-permissions";
import { ProjectRolesDialog } from "./project-roles-dialog";

export const route = createLazyRoute("/app/organizations/$organizationId/members")({ component: MembersPage });
const api = getRouteApi("/app/organizations/$organizationId/members");

function MembersPage() {
  const { organizationId } = api.useParams();
  const client = useQueryClient();
  const { data: me } = useSuspenseQuery(meQuery());
  const members = useQuery(membersQuery(organizationId));
  const permissions = useOrganizationPermissions(organizationId);
  const navigate = useNavigate();
  const [search, setSearch] = useState("");
  const [removing, setRemoving] = useState<MemberView | null>(null);
  const [projectsOf, setProjectsOf] = useState<string | null>(null);
  const stale = [membersQuery(organizationId).queryKey, ["me"]];

  const changeRole = useAction(
    ({ member, role }: { member: MemberView; role: string }) => organizations.updateMember(organizationId, member.user_id, role),
    {
      stale,
      done: ({ member, role }) => t("members.roleChanged", { name: personName(member), role: roleName(role) }),
      undo: ({ member }) => organizations.updateMember(organizationId, member.user_id, member.role),
    },
  );
  const suspend = useAction((member: MemberView) => organizations.suspendMember(organizationId, member.user_id), {
    stale,
    done: (member) => t("members.suspended", { name: personName(member) }),
    undo: (member) => organizations.reinstateMember(organizationId, member.user_id),
  });
  const reinstate = useAction((member: MemberView) => organizations.reinstateMember(organizationId, member.user_id), {
    stale,
    done: (member) => t("members.reinstated", { name: personName(member) }),
  });

  /** Why I may not do something to somebody, or false. */
  const refused = (member: MemberView, permission: string): string | false => {
    if (member.user_id === me.id) return t("members.yourself");
    if (!mayTouch(permissions.role, member.role)) return t("members.ownerOnly");
    return permissions.denied(permission);
  };
  const columns: Column<MemberView>[] = [
    {
      id: "person",
      header: t("members.person"),
      grow: true,
      cell: (row) => (
        <TwoLines
          first={personName(row)}
          second={row.email}
          badge={
            <>
              {row.user_id === me.id && <Badge tone="accent">{t("members.you")}</Badge>}
              {row.status === "suspended" && <Badge tone="warning">{t("members.statusSuspended")}</Badge>}
            </>
          }
        />
      ),
    },
    {
      id: "role",
      header: t("invitation.role"),
      cell: (row) =>
        refused(row, "members:update") === false ? (
          <Select
            bare
            label={t("members.roleOf", { name: personName(row) })}
            value={changeRole.isPending && changeRole.variables.member.user_id === row.user_id ? changeRole.variables.role : row.role}
            disabled={changeRole.isPending}
            onChange={(role) => changeRole.mutate({ member: row, role })}
            options={roleChoices([...new Set([...rolesUpTo(permissions.role), row.role])])}
            className="w-32"
          />
        ) : (
          <span data-tip={refused(row, "members:update") || undefined} className="px-2.5">
            {roleName(row.role)}
          </span>
        ),
    },
    {
      id: "projects",
      header: t("members.projectRoles"),
      from: "lg",
      cell: (row) =>
        row.project_roles.length === 0 ? (
          <span className="text-muted">{t("members.asInOrganization")}</span>
        ) : (
          <span data-tip={row.project_roles.map((entry) => `${entry.project_name}: ${roleName(entry.role)}`).join("\n")}>
            {t("members.exceptions", { count: row.project_roles.length })}
          </span>
        ),
    },
    {
      id: "factor",
      header: t("factor.title"),
      from: "xl",
      cell: (row) => <span className="text-muted">{t(row.second_factor ? "factor.on" : "factor.off")}</span>,
    },
    { id: "login", header: t("members.lastLogin"), from: "md", cell: (row) => <Time value={row.last_login_at} none={t("members.never")} /> },
    {
      id: "actions",
      header: t("organizations.actions"),
      quiet: true,
      cell: (row) => (
        <RowMenu label={t("action.more", { name: personName(row) })}>
          <MenuItem onSelect={() => setProjectsOf(row.user_id)}>{t("members.projectRoles")}</MenuItem>
          <MenuSeparator />
          {row.status === "active" ? (
            <MenuItem denied={refused(row, "members:suspend")} onSelect={() => suspend.mutate(row)}>
              {t("members.suspend")}
            </MenuItem>
          ) : (
            <MenuItem denied={refused(row, "members:suspend")} onSelect={() => reinstate.mutate(row)}>
              {t("members.reinstate")}
            </MenuItem>
          )}
          <MenuItem danger denied={refused(row, "members:remove")} onSelect={() => setRemoving(row)}>
            {t("members.remove")}
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
  const found = members.data?.filter((member) => `${personName(member)} ${member.email}`.toLowerCase().includes(search.trim().toLowerCase()));
  return (
    <SettingsPage
      title={t("members.title")}
      description={t("members.text")}
      wide
      actions={
        <Button
          variant="primary"
          denied={permissions.denied("members:invite")}
          onClick={() => void navigate({ to: "/organizations/$organizationId/invitations", params: { organizationId }, search: { invite: true } })}
        >
          {t("invitations.invite")}
        </Button>
      }
    >
      <SearchInput label={t("members.search")} value={search} onChange={setSearch} />
      <DataTable
        label={t("members.title")}
        columns={columns}
        rows={found}
        rowKey={(row) => row.user_id}
        error={members.error}
        onRetry={() => void members.refetch()}
        empty={<p className="p-4 text-muted">{t("members.none")}</p>}
      />
      <ConfirmDialog
        open={removing !== null}
        onClose={() => setRemoving(null)}
        title={t("members.remove")}
        text={t("members.removeText", { name: removing === null ? "" : personName(removing) })}
        confirm={t("members.remove")}
        typeName={removing?.email}
        act={async () => {
          if (removing === null) return;
          await organizations.removeMember(organizationId, removing.user_id);
          await client.invalidateQueries({ queryKey: ["organization", organizationId] });
        }}
      />
      <ProjectRolesDialog
        organizationId={organizationId}
        member={members.data?.find((member) => member.user_id === projectsOf) ?? null}
        denied={permissions.denied("projects:admin")}
        onClose={() => setProjectsOf(null)}
      />
    </SettingsPage>
  );
}

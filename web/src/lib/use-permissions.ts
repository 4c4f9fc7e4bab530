import { useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { rolesQuery } from "@/api/identity-queries";
import { meQuery } from "@/api/queries";
import { t } from "@/i18n";
import { allows } from "./permissions";
import { findProject } from "./projects";
import { roleName } from "./roles";

export interface Permissions {
  role: string;
  can: (permission: string) => boolean;
  /** The reason to show when the role does not include it, or false when it does. */
  denied: (permission: string) => string | false;
}

function usePermissionsOf(organizationId: string, role: string): Permissions {
  const { data: table } = useQuery({ ...rolesQuery(organizationId), enabled: organizationId !== "" });
  const can = (permission: string) => allows(table, role, permission);
  return {
    role,
    can,
    denied: (permission) => (can(permission) ? false : t("permission.denied", { role: roleName(role), permission })),
  };
}

/** What I may do in an organisation. */
export function useOrganizationPermissions(organizationId: string): Permissions {
  const { data: me } = useSuspenseQuery(meQuery());
  const role = me.organizations.find((organization) => organization.id === organizationId)?.role ?? "none";
  return usePermissionsOf(organizationId, role);
}

/** What I may do in a project. */
export function useProjectPermissions(projectId: string): Permissions {
  const { data: me } = useSuspenseQuery(meQuery());
  const found = findProject(me, projectId);
  return usePermissionsOf(found?.organization.id ?? "", found?.project.role ?? "none");
}

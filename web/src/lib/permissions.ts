/** What a role may do, by the table that the server gives. */
import type { RoleView } from "@/api/identity";

/** A role as people read it. The order is from the most to the least. */
export const BUILT_IN_ROLES = ["owner", "admin", "developer", "viewer", "none"] as const;
/** Roles within one project; `none` keeps somebody out of it. */
export const PROJECT_ROLES = ["admin", "developer", "viewer", "none"] as const;

/**
 * Whether a role has a permission. Where the table is not known, as before it has arrived or for somebody who may not see it, the
 * answer is yes: the server decides in the end, and says why not.
 */
export function allows(table: readonly RoleView[] | undefined, role: string, permission: string): boolean {
  const found = table?.find((candidate) => candidate.name === role);
  if (found === undefined) return table === undefined || role === "owner";
  return found.permissions.includes(permission);
}

function rank(role: string): number {
  const index = (BUILT_IN_ROLES as readonly string[]).indexOf(role);
  return index < 0 ? BUILT_IN_ROLES.length : index;
}

/** Which roles somebody may give: none above their own. */
export function rolesUpTo(own: string): string[] {
  return BUILT_IN_ROLES.filter((role) => rank(role) >= rank(own));
}

/** Whether somebody with one role may change a member with another: owners are touched by owners only. */
export function mayTouch(own: string, other: string): boolean {
  return other !== "owner" || own === "owner";
}

/** Permissions by what they are about, in the order of the first of each: `members:read` is about `members`. */
export function groupPermissions(names: readonly string[]): { resource: string; names: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const resource = name.split(":")[0] ?? name;
    const group = groups.get(resource);
    if (group === undefined) groups.set(resource, [name]);
    else group.push(name);
  }
  return [...groups].map(([resource, group]) => ({ resource, names: group }));
}

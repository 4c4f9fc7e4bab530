import { t, type Key } from "@/i18n";

const NAMES: Readonly<Record<string, Key>> = {
  owner: "role.owner",
  admin: "role.admin",
  developer: "role.developer",
  viewer: "role.viewer",
  none: "role.none",
};

/** A role as people read it; an organisation's own roles keep their names. */
export function roleName(role: string): string {
  const key = NAMES[role];
  return key === undefined ? role : t(key);
}

export function roleChoices(roles: readonly string[]): { value: string; label: string }[] {
  return roles.map((role) => ({ value: role, label: roleName(role) }));
}

export function personName(person: { first_name: string; last_name: string; email: string }): string {
  return `${person.first_name} ${person.last_name}`.trim() || person.email;
}

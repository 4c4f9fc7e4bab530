import type { KeyScope } from "@/api/identity";

/** Adds or takes away a scope. `full` includes the others, so that it stands alone. */
export function toggleScope(scopes: readonly KeyScope[], scope: KeyScope): KeyScope[] {
  if (scopes.includes(scope)) return scopes.filter((other) => other !== scope);
  return scope === "full" ? ["full"] : [...scopes.filter((other) => other !== "full"), scope];
}

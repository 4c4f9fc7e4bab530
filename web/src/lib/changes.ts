/** What differs between two JSON values, as the audit log keeps them. */

export interface Change {
  /** Names joined by dots; empty where the values are no objects. */
  path: string;
  /** Undefined where there was nothing. */
  before: unknown;
  after: unknown;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every place where two values differ, in the order of their names. Arrays are compared as a whole. */
export function changes(before: unknown, after: unknown, path = ""): Change[] {
  if (isObject(before) || isObject(after)) {
    const left = isObject(before) ? before : {};
    const right = isObject(after) ? after : {};
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
    return names.flatMap((name) => changes(left[name], right[name], path === "" ? name : `${path}.${name}`));
  }
  const one = before ?? undefined;
  const other = after ?? undefined;
  return JSON.stringify(one) === JSON.stringify(other) ? [] : [{ path, before: one, after: other }];
}

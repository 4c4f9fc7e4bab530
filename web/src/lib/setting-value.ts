/** Settings between what the server stores and what a person types. */
import type { SettingValue, SettingView } from "@/api/identity";

/** What stands in the field for a value. Lists have one entry per line. */
export function toInput(value: SettingValue | null): string {
  if (value === null) return "";
  return Array.isArray(value) ? value.join("\n") : String(value);
}

export type Parsed = { ok: true; value: SettingValue } | { ok: false; problem: "integer" | "choice" };

/** The value that was typed. Entries of a list may also be parted by commas; empty and repeated ones are dropped. */
export function parseInput(type: SettingView["type"], input: string, choices: readonly string[] | null = null): Parsed {
  switch (type) {
    case "bool":
      return { ok: true, value: input === "true" };
    case "integer": {
      const trimmed = input.trim();
      const value = Number(trimmed);
      return /^-?\d+$/.test(trimmed) && Number.isSafeInteger(value) ? { ok: true, value } : { ok: false, problem: "integer" };
    }
    case "string":
      return { ok: true, value: input.trim() };
    case "string_list": {
      const entries = input.split(/[\n,]/).map((entry) => entry.trim());
      return { ok: true, value: [...new Set(entries)].filter((entry) => entry !== "") };
    }
    case "choice":
      return choices === null || choices.includes(input) ? { ok: true, value: input } : { ok: false, problem: "choice" };
  }
}

export function sameValue(one: SettingValue | null, other: SettingValue | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A key as a heading: `sign_up.allowed_domains` is "Allowed domains". */
export function settingTitle(key: string): string {
  const words = (key.split(".").at(-1) ?? key).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Settings by the part of their key before the first dot. */
export function groupSettings(settings: readonly SettingView[]): { group: string; settings: SettingView[] }[] {
  const groups = new Map<string, SettingView[]>();
  for (const setting of settings) {
    const words = (setting.key.split(".")[0] ?? "").replaceAll("_", " ");
    const group = words.charAt(0).toUpperCase() + words.slice(1);
    const found = groups.get(group);
    if (found === undefined) groups.set(group, [setting]);
    else found.push(setting);
  }
  return [...groups].map(([group, members]) => ({ group, settings: members }));
}

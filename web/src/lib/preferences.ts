/** What a person set for this browser. Keys of theme and density are read by boot/theme.js too. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";
export type Density = "compact" | "normal" | "roomy";

function read(key: string): string | null {
  try {
    return localStorage.getItem(`brokle.${key}`);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(`brokle.${key}`, value);
  } catch {
    // Without storage the choice holds until the page is closed.
  }
}

const listeners = new Set<() => void>();
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A stored value with one shared copy in memory. */
class Preference<Value> {
  private value: Value;

  constructor(
    private readonly key: string,
    parse: (stored: string | null) => Value,
    private readonly print: (value: Value) => string = String,
    private readonly applied: (value: Value) => void = () => undefined,
  ) {
    this.value = parse(read(key));
  }

  readonly get = (): Value => this.value;

  readonly set = (value: Value): void => {
    this.value = value;
    write(this.key, this.print(value));
    this.applied(value);
    for (const listener of listeners) listener();
  };
}

function choice<Value extends string>(values: readonly Value[], fallback: Value) {
  return (stored: string | null): Value => values.find((value) => value === stored) ?? fallback;
}

function width(fallback: number) {
  return (stored: string | null): number => {
    const number = Number(stored);
    return stored !== null && Number.isFinite(number) ? number : fallback;
  };
}

function list(stored: string | null): string[] | null {
  if (stored === null || stored === "") return null;
  return stored.split(",");
}

function applyTheme(theme: Theme): void {
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

export const preferences = {
  theme: new Preference<Theme>("theme", choice(["light", "dark", "system"], "system"), String, applyTheme),
  density: new Preference<Density>("density", choice(["compact", "normal", "roomy"], "normal"), String, (density) => {
    document.documentElement.dataset.density = density;
  }),
  navigation: new Preference<"open" | "folded">("navigation", choice(["open", "folded"], "open")),
  /** Share of the width that the tree of a trace takes, in per cent. */
  split: new Preference<number>("split", width(50)),
  detailView: new Preference<"tree" | "both" | "timeline">("detail", choice(["tree", "both", "timeline"], "both")),
  /** Columns of the trace list that were chosen by hand; null follows the width. */
  columns: new Preference<string[] | null>("columns", list, (columns) => columns?.join(",") ?? ""),
  project: new Preference<string>("project", (stored) => stored ?? ""),
  /** The organisation that was looked at last, for when it has no project. */
  organization: new Preference<string>("organization", (stored) => stored ?? ""),
};

/** The value of a preference, kept up to date. */
export function usePreference<Value>(preference: Preference<Value>): Value {
  return useSyncExternalStore(subscribe, preference.get);
}

/** Follows the system while the theme is "system". Call once. */
export function followSystemTheme(): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    applyTheme(preferences.theme.get());
  });
}

/** Height of a table row in pixels. */
export const ROW_HEIGHT: Record<Density, number> = { compact: 24, normal: 32, roomy: 40 };

/** Tokens by kind, each counted once. */
import { t, type Key } from "@/i18n";

/** In the order in which the server keeps them. */
export const USAGE_KINDS = [
  "input",
  "input_cache_read",
  "input_cache_write_5m",
  "input_cache_write_1h",
  "input_audio",
  "input_image",
  "output",
  "output_reasoning",
  "output_audio",
] as const;
export type UsageKind = (typeof USAGE_KINDS)[number];

export function knownKind(kind: string): UsageKind | undefined {
  return USAGE_KINDS.find((known) => known === kind);
}

/** The name of a kind for people; a kind that this app does not know keeps its own. */
export function usageLabel(kind: string): string {
  const known = knownKind(kind);
  return known === undefined ? kind : t(`usage.${known}` satisfies Key);
}

/** Colours that stay apart beside each other in the bar. */
const COLOURS: Record<UsageKind, string> = {
  input: "bg-cat-1",
  input_cache_read: "bg-cat-5",
  input_cache_write_5m: "bg-cat-7",
  input_cache_write_1h: "bg-cat-2",
  input_audio: "bg-cat-3",
  input_image: "bg-cat-8",
  output: "bg-cat-4",
  output_reasoning: "bg-cat-6",
  output_audio: "bg-cat-3",
};

export function usageColour(kind: string): string {
  const known = knownKind(kind);
  return known === undefined ? "bg-cat-8" : COLOURS[known];
}

export interface UsagePart {
  kind: string;
  tokens: number;
}
export interface UsageSplit {
  input: UsagePart[];
  output: UsagePart[];
  inputTotal: number;
  outputTotal: number;
}

/** What was read and what was written, in the order of the kinds; kinds that are not known come last. */
export function splitUsage(usage: Readonly<Record<string, number>>): UsageSplit {
  const rank = (kind: string) => {
    const index = (USAGE_KINDS as readonly string[]).indexOf(kind);
    return index < 0 ? USAGE_KINDS.length : index;
  };
  const parts = Object.entries(usage)
    // The sum of the others stands beside them.
    .filter(([kind]) => kind !== "total")
    .map(([kind, tokens]) => ({ kind, tokens }))
    .sort((one, other) => rank(one.kind) - rank(other.kind) || one.kind.localeCompare(other.kind));
  const output = parts.filter(({ kind }) => kind.startsWith("output"));
  const input = parts.filter(({ kind }) => !kind.startsWith("output"));
  const sum = (of: readonly UsagePart[]) => of.reduce((total, { tokens }) => total + tokens, 0);
  return { input, output, inputTotal: sum(input), outputTotal: sum(output) };
}

/** A share as people read it: nothing that is there is 0 %. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0 || part <= 0) return "0 %";
  const percent = (part / whole) * 100;
  if (percent < 1) return "<1 %";
  return percent > 99 && part < whole ? ">99 %" : `${Math.round(percent)} %`;
}

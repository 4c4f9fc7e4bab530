/** Numbers with their units. Nothing here returns a bare number. */
import { currentLocale, t } from "@/i18n";

/** Stands for a value that is not known. */
export const NONE = "—";

/** Nanoseconds as a person reads them: 850 ns, 12.5 µs, 320 ms, 1.24 s, 2 min 05 s, 1 h 02 min. */
export function formatDuration(nanoseconds: number | null): string {
  if (nanoseconds === null || !Number.isFinite(nanoseconds)) return NONE;
  if (nanoseconds < 0) return `−${formatDuration(-nanoseconds)}`;
  if (nanoseconds < 1e3) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 999.5e3) return `${threeDigits(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 999.5e6) return `${threeDigits(nanoseconds / 1e6)} ms`;
  if (nanoseconds < 59.995e9) return `${(nanoseconds / 1e9).toFixed(2)} s`;
  const seconds = Math.round(nanoseconds / 1e9);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** Three significant digits, without zeros after the decimal point. */
function threeDigits(value: number): string {
  if (value >= 99.95) return String(Math.round(value));
  return String(Number(value.toPrecision(3)));
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** The exact number of milliseconds, for hovering. */
export function formatDurationExact(nanoseconds: number | null): string {
  if (nanoseconds === null) return NONE;
  const milliseconds = new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 6 }).format(nanoseconds / 1e6);
  return `${milliseconds} ms`;
}

/** US dollars with four significant places below one dollar and cents above; null is an unknown price. */
export function formatCost(decimal: string | null): string {
  if (decimal === null) return NONE;
  const value = Number(decimal);
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return "$0";
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size < 0.0001) return `${sign}<$0.0001`;
  const digits = size < 0.99995 ? 4 : 2;
  const amount = new Intl.NumberFormat(currentLocale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(size);
  return `${sign}$${amount}`;
}

/** What there is to say about a cost: every digit the server gave, or why there is none. */
export function costTip({ total_cost, total_tokens }: { total_cost: string | null; total_tokens: number }): string {
  if (total_cost !== null) return formatCostExact(total_cost);
  return t(total_tokens === 0 ? "cost.none" : "cost.unknown");
}

/** A cost with every digit the server gave. */
export function formatCostExact(decimal: string): string {
  const trimmed = decimal.includes(".") ? decimal.replace(/0+$/, "").replace(/\.$/, "") : decimal;
  return trimmed.startsWith("-") ? `−$${trimmed.slice(1)}` : `$${trimmed === "" ? "0" : trimmed}`;
}

/** A whole number with separators: 1,234. */
export function formatCount(value: number): string {
  return new Intl.NumberFormat(currentLocale()).format(value);
}

/** 1,234 → 567; a dash when a span used none. */
export function formatTokens(input: number, output: number): string {
  if (input === 0 && output === 0) return NONE;
  return `${formatCount(input)} → ${formatCount(output)}`;
}

/** A short form of a number of tokens for narrow badges: 980, 1.2k, 34k, 1.2M. */
export function formatTokensShort(value: number): string {
  if (value < 1000) return String(value);
  if (value < 9950) return `${(value / 1000).toFixed(1)}k`;
  if (value < 999_500) return `${Math.round(value / 1000)}k`;
  return `${(value / 1e6).toFixed(1)}M`;
}

/** Bytes: 512 B, 1.6 kB, 2.4 MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 999_950) return `${(bytes / 1000).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The first characters of an id, for where the whole does not fit. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}

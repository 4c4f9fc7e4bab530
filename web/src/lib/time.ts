/** Times as the API writes them (RFC 3339, up to nanoseconds) and as people read them. */
import { currentLocale, t } from "@/i18n";

/**
 * Milliseconds since the epoch with the fraction that Date.parse drops, so that spans of microseconds keep
 * their order on the time line. NaN when the text is not a time.
 */
export function parseTime(value: string): number {
  const match = /^(.*:\d\d)\.(\d+)(Z|[+-]\d\d:?\d\d)$/.exec(value);
  if (match === null) return Date.parse(value);
  const [, seconds = "", fraction = "", zone = ""] = match;
  return Date.parse(seconds + zone) + Number(`0.${fraction}`) * 1000;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${currentLocale()} ${name}`;
  let found = formatters.get(key);
  if (found === undefined) {
    found = new Intl.DateTimeFormat(currentLocale(), options);
    formatters.set(key, found);
  }
  return found;
}

/** Date, time to the millisecond and zone, in the reader's zone. */
export function formatExact(value: string): string {
  const time = parseTime(value);
  if (Number.isNaN(time)) return value;
  return formatter("exact", {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hour12: false,
    timeZoneName: "short",
  }).format(time);
}

/** Day and minute, for ranges. */
export function formatMinute(time: number): string {
  return formatter("minute", {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  }).format(time);
}

/** Day with its year, for what is long past or far ahead. */
export function formatDay(time: number): string {
  return formatter("day", { year: "numeric", month: "short", day: "numeric" }).format(time);
}

/** "12 s ago" up to a week back, then the date. */
export function formatRelative(value: string, now: number): string {
  const time = parseTime(value);
  if (Number.isNaN(time)) return value;
  const seconds = Math.round((now - time) / 1000);
  if (seconds < 0) return seconds > -5 ? t("time.now") : formatMinute(time);
  if (seconds < 2) return t("time.now");
  if (seconds < 60) return t("time.seconds", { value: seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t("time.minutes", { value: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return t("time.hours", { value: hours });
  const days = Math.floor(hours / 24);
  if (days < 7) return t("time.days", { value: days });
  return days < 180 ? formatMinute(time) : formatDay(time);
}

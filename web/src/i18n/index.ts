/**
 * Every string a person reads, by key. The English catalogue defines the keys; another language is a file
 * with the same keys (`Catalogue` makes a missing one a type error) and an entry in `loaders`.
 */
import { en } from "./en";

/** A message, or one per plural form (Intl.PluralRules) chosen by the parameter `count`. */
export type Message = string | { readonly one?: string; readonly other: string };
export type Key = keyof typeof en;
export type Catalogue = Readonly<Record<Key, Message>>;
export type Locale = "en";
export type Params = Readonly<Record<string, string | number>>;

/** Languages besides English, loaded when they are chosen. */
const loaders: Partial<Record<Locale, () => Promise<Catalogue>>> = {};

let locale: Locale = "en";
let catalogue: Catalogue = en;
let plurals = new Intl.PluralRules(locale);
let numbers = new Intl.NumberFormat(locale);

/** Switches the language; the caller renders the app anew afterwards. */
export async function setLocale(next: Locale): Promise<void> {
  catalogue = (await loaders[next]?.()) ?? en;
  locale = next;
  plurals = new Intl.PluralRules(next);
  numbers = new Intl.NumberFormat(next);
}

export function currentLocale(): Locale {
  return locale;
}

/** The text of a key with `{name}` replaced; numbers are written the way the language writes them. */
export function t(key: Key, params: Params = {}): string {
  const message = catalogue[key];
  const template =
    typeof message === "string"
      ? message
      : (plurals.select(Number(params.count ?? 0)) === "one" ? message.one : undefined) ?? message.other;
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers.format(value) : value;
  });
}

/** A browser or program in words, from what it calls itself. */

type Rule = readonly [name: string, pattern: RegExp];

/** The first that matches counts: everybody calls himself Mozilla and most call themselves Safari too. */
const PROGRAMS: readonly Rule[] = [
  ["Edge", /\bEdgA?(?:iOS)?\/(\d+)/],
  ["Opera", /\bOPR\/(\d+)/],
  ["Samsung Internet", /\bSamsungBrowser\/(\d+)/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/(\d+)/],
  ["Chromium", /\b(?:HeadlessChrome|Chromium)\/(\d+)/],
  ["Chrome", /\b(?:Chrome|CriOS)\/(\d+)/],
  ["Safari", /\bVersion\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari\//],
  ["curl", /^curl\/(\d+\.\d+)/],
  ["Python", /^(?:python-requests|python-httpx|Python-urllib|aiohttp)\/?(\d+\.\d+)?/i],
  ["Go program", /^Go-http-client\//],
  ["Node.js", /^(?:node|undici)\b/],
];

const SYSTEMS: readonly Rule[] = [
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Android", /\bAndroid\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
];

export interface Device {
  /** "Firefox 128"; null when it is not known. */
  program: string | null;
  /** "Windows"; null when it is not known. */
  system: string | null;
  mobile: boolean;
}

export function readUserAgent(userAgent: string | null): Device {
  const text = userAgent ?? "";
  let program: string | null = null;
  for (const [name, pattern] of PROGRAMS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    program = match[1] === undefined ? name : `${name} ${match[1]}`;
    break;
  }
  const system = SYSTEMS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
  return { program, system, mobile: /\b(?:Mobile|iPhone|iPad|Android)\b/.test(text) };
}

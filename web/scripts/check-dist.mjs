// Fails the build when the output breaks a promise: nothing inline that the content security policy would
// refuse, no address of a third party in the page, and at most 350 kB (gzip) of script before the first route.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const problems = [];

if (/<script(?![^>]*\ssrc=)[^>]*>/i.test(html)) problems.push("index.html has an inline script");
if (/<style[\s>]/i.test(html) || /\sstyle=/i.test(html)) problems.push("index.html has an inline style");
if (/(?:src|href)="(?:https?:)?\/\//i.test(html)) problems.push("index.html loads something from another origin");

const gzip = (path) => gzipSync(readFileSync(new URL(path, dist))).length;
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const eager = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]);
const eagerSize = eager.reduce((sum, path) => sum + gzip(path), 0);
const limit = 350_000;
if (eagerSize > limit) problems.push(`script before the first route is ${kb(eagerSize)} gzip, the limit is ${kb(limit)}`);

for (const file of readdirSync(new URL("assets/", dist))) {
  if (file.endsWith(".js")) console.log(`${kb(gzip(`assets/${file}`)).padStart(9)}  ${file}`);
}
console.log(`script before the first route: ${kb(eagerSize)} gzip (limit ${kb(limit)})`);

if (problems.length > 0) {
  for (const problem of problems) console.error(`dist: ${problem}`);
  process.exit(1);
}

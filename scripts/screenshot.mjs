// Takes the pictures of the README from a running Brokle; scripts/screenshot.sh starts one and says where it is.
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(new URL("../web/package.json", import.meta.url))("playwright-core");

const MAX_BYTES = 400_000;
const [directory] = process.argv.slice(2);
const { BROKLE_E2E_URL: url, BROKLE_E2E_EMAIL: email, BROKLE_E2E_PASSWORD: password } = process.env;
if (!directory || !url || !email || !password) throw new Error("run scripts/screenshot.sh");

/** The trace that shows most: a full tree with models, tools and a cost. Reads the API as the page does. */
async function telling(page) {
  const projectId = new URL(page.url()).pathname.split("/").find((part) => /^[0-9A-Z]{26}$/i.test(part));
  const ask = async (path, init) => (await (await fetch(`${url}${path}`, init)).json()).data;
  const { access_token: token } = await ask("/api/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const me = await ask("/api/v1/users/me", { headers: { Authorization: `Bearer ${token}` } });
  const project = projectId ?? me.organizations[0].projects[0].id;
  const traces = await ask(`/api/v1/traces?project_id=${project}&limit=100`, { headers: { Authorization: `Bearer ${token}` } });
  const good = traces.filter((trace) => !trace.has_error && trace.total_cost !== null && trace.span_count <= 14);
  good.sort((a, b) => b.models.length - a.models.length || b.span_count - a.span_count);
  if (good.length === 0) throw new Error("the demo sent no trace worth a picture");
  return good[0].trace_id;
}

async function shoot(page, name) {
  // Nothing may blink or hover in a picture.
  await page.mouse.move(0, 0);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await page.evaluate(() => document.fonts.ready);
  const path = join(directory, name);
  await page.screenshot({ path, animations: "disabled", caret: "hide" });
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${name} has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`${path}: ${size} bytes`);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH,
  args: ["--no-sandbox", "--disable-background-networking", "--hide-scrollbars"],
});
try {
  const page = await browser.newPage({
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 1,
    colorScheme: "light",
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
  });
  page.setDefaultTimeout(30_000);
  await page.goto(url);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("[data-trace]").nth(10).waitFor();
  await shoot(page, "traces.png");

  const traceId = await telling(page);
  await page.goto(`${new URL(page.url()).pathname.replace(/\/$/, "")}/${traceId}`.replace(/^/, url));
  const spans = page.getByRole("treeitem");
  await spans.nth(1).waitFor();
  // A model call shows more than the span around it.
  const call = spans.filter({ hasText: /chat|generate/i }).last();
  await ((await call.count()) > 0 ? call : spans.nth(1)).click();
  await page.getByTestId("span-panel").getByRole("region", { name: "Input" }).waitFor();
  await shoot(page, "trace.png");
} finally {
  await browser.close();
}

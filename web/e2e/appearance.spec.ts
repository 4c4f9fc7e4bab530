import { expect, openTraces, sendAgentTrace, STORED, test, unique } from "./support";

test("switches to the dark theme and keeps it over a reload, from the first paint", async ({ page }) => {
  await openTraces(page);
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitemradio", { name: "Dark" }).click();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");

  // The script of the app is held back: the theme must not wait for it.
  await page.route(/\/assets\/index-[^/]*\.js$/, () => undefined);
  await page.reload({ waitUntil: "commit" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.unrouteAll();
});

test.describe("with a dark system", () => {
  test.use({ colorScheme: "dark" });

  test("starts dark", async ({ page }) => {
    await page.goto("/login");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  });
});

for (const width of [360, 390]) {
  test.describe(`${width} pixels wide`, () => {
    test.use({ viewport: { width, height: 780 }, hasTouch: true });

    test("lists and opens traces without scrolling sideways", async ({ page }) => {
      const name = `narrow-${unique()}`;
      const { traceId } = await sendAgentTrace(name);
      await openTraces(page);
      const row = page.locator(`[data-trace="${traceId}"]`);
      await expect(row).toBeVisible(STORED);
      const overflow = () =>
        page.evaluate(() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth);
      expect(await overflow()).toBeLessThanOrEqual(0);

      await row.getByRole("link").click();
      await page.getByRole("treeitem").nth(1).click();
      await expect(page.getByTestId("span-panel")).toContainText("You know the weather.");
      expect(await overflow()).toBeLessThanOrEqual(0);

      await page.getByRole("button", { name: "Open navigation" }).click();
      await expect(page.getByRole("dialog", { name: "Main navigation" })).toBeVisible();
      await page.getByRole("dialog").getByRole("link", { name: "Traces" }).click();
      await expect(page.getByRole("heading", { name: "Traces", exact: true })).toBeVisible();
    });
  });
}

test("loads nothing from another origin, and obeys the content security policy", async ({ page, baseURL }) => {
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(baseURL ?? "") && !/^(?:data|blob):/.test(request.url())) foreign.push(request.url());
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await openTraces(page);
  await page.getByRole("button", { name: /^Time range/ }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Switch project/ }).click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await page.keyboard.press("Escape");
  expect(foreign).toEqual([]);
});

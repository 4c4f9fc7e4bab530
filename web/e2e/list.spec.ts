import { expect, openTraces, sendAgentTrace, sendTrace, server, STORED, test, unique } from "./support";

test("shows a trace that arrives while the list is open", async ({ page }) => {
  await openTraces(page);
  const name = `live-${unique()}`;
  const { traceId } = await sendAgentTrace(name);
  const row = page.locator(`[data-trace="${traceId}"]`);
  await expect(row).toBeVisible(STORED);
  await expect(row).toContainText(name);
  await expect(row).toContainText("What is the weather in Bern?");
  await expect(row).toContainText("1,234 → 56");
  await expect(row).toContainText("gpt-4o-mini");
  await expect(row).toContainText("1.20 s");
});

test("filters by name, status and environment, and keeps the filters in the address", async ({ page }) => {
  const mark = unique();
  const good = await sendTrace([{ name: `good-${mark}`, start: 0, duration: 20 }]);
  const bad = await sendTrace([{ name: `bad-${mark}`, start: 0, duration: 20, error: "broken" }]);
  await openTraces(page);

  await page.keyboard.press("/");
  await page.keyboard.type(mark);
  await expect(page).toHaveURL(new RegExp(`name=.*${mark}`));
  await expect(page.locator(`[data-trace="${good}"]`)).toBeVisible(STORED);
  await expect(page.locator(`[data-trace="${bad}"]`)).toBeVisible(STORED);

  await page.getByRole("button", { name: "Error", exact: true }).click();
  await expect(page.locator(`[data-trace="${good}"]`)).toBeHidden();
  await expect(page.locator(`[data-trace="${bad}"]`)).toBeVisible();

  await page.reload();
  await expect(page.locator(`[data-trace="${bad}"]`)).toBeVisible();
  await expect(page.getByLabel("Filter by name")).toHaveValue(mark);

  await page.getByRole("button", { name: /^Environment/ }).click();
  await page.getByRole("button", { name: "e2e", exact: true }).click();
  await expect(page).toHaveURL(/environment=e2e/);
  await expect(page.locator(`[data-trace="${bad}"]`)).toBeVisible();
});

test("says so when no trace matches, and clears the filters", async ({ page }) => {
  await sendTrace([{ name: "something", start: 0, duration: 5 }]);
  await openTraces(page);
  await page.getByLabel("Filter by name").fill(`nothing-${unique()}`);
  await expect(page.getByTestId("empty-filtered")).toBeVisible();
  await page.getByTestId("empty-filtered").getByRole("button", { name: "Clear filters" }).click();
  await expect(page.getByTestId("trace-table")).toBeVisible();
  await expect(page).not.toHaveURL(/name=/);
});

test("shows how to send a trace when a time range is empty", async ({ page }) => {
  await openTraces(page);
  await page.goto(`${new URL(page.url()).pathname}?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`);
  await expect(page.getByTestId("empty-teach")).toContainText(`${server.url}/v1/traces`);
  await page.getByRole("button", { name: "Python" }).click();
  await expect(page.getByTestId("empty-teach")).toContainText("OTLPSpanExporter");
});

test("is used by keyboard", async ({ page }) => {
  await sendTrace([{ name: `key-${unique()}`, start: 0, duration: 5 }]);
  await openTraces(page);
  await expect(page.locator("[data-trace]").first()).toBeVisible(STORED);
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();

  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tree")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { name: "Traces", exact: true })).toBeVisible();
});

test.describe("a failing server", () => {
  test.use({ expectedErrors: [/status of 500/] });

  test("is reported with its request id, and tried again", async ({ page }) => {
    await sendTrace([{ name: "before-failure", start: 0, duration: 5 }]);
    await openTraces(page);
    await page.route("**/api/v1/traces?**", (route) =>
      route.fulfill({
        status: 500,
        contentType: "application/json",
        body: JSON.stringify({
          success: false,
          data: null,
          error: { code: "INTERNAL_ERROR", message: "the store did not answer" },
          meta: { request_id: "req-e2e-500", timestamp: new Date().toISOString(), version: "v1" },
        }),
      }),
    );
    await page.reload();
    const alert = page.getByRole("alert");
    await expect(alert).toContainText("The store did not answer.");
    await expect(alert).toContainText("req-e2e-500");
    await page.unroute("**/api/v1/traces?**");
    await alert.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByTestId("trace-table")).toBeVisible();
  });
});

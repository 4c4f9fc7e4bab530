import { expect, openTraces, sendAgentTrace, sendTrace, spanId, STORED, test, unique } from "./support";

test("shows tree, conversation, attributes, events and metadata", async ({ page }) => {
  const name = `agent-${unique()}`;
  const { traceId, ids } = await sendAgentTrace(name);
  await openTraces(page);
  await page.locator(`[data-trace="${traceId}"]`).getByRole("link", { name }).click(STORED);

  await expect(page.getByRole("heading", { name, level: 1 })).toBeVisible();
  const chips = page.getByTestId("trace-chips");
  await expect(chips).toContainText("1,234 → 56");
  await expect(chips).toContainText("user-e2e");
  await expect(chips).toContainText("session-e2e");
  await expect(chips).toContainText("1 error");

  const items = page.getByRole("treeitem");
  await expect(items).toHaveCount(3);
  await expect(items.nth(0)).toHaveAttribute("aria-level", "1");
  await expect(items.nth(1)).toHaveAttribute("aria-level", "2");
  await expect(items.nth(1)).toContainText("chat gpt-4o-mini");
  await expect(items.nth(2)).toContainText("get_weather");
  const panel = page.getByTestId("span-panel");
  await expect(panel).toContainText("7 degrees and rain.");

  await items.nth(1).click();
  await expect(page).toHaveURL(new RegExp(`span=.*${ids.chat}`));
  await expect(panel.locator('[data-role="system"]')).toContainText("You know the weather.");
  await expect(panel.locator('[data-role="user"]')).toContainText("What is the weather in Bern?");
  await expect(panel.locator('[data-role="assistant"]')).toContainText("get_weather");
  await expect(panel.locator('[data-role="assistant"]')).toContainText("Bern");
  await panel.getByRole("region", { name: "Input" }).getByRole("button", { name: "Raw" }).click();
  await expect(panel.getByRole("region", { name: "Input" })).toContainText('"parts"');

  await panel.getByRole("tab", { name: /Attributes/ }).click();
  await panel.getByLabel("Search attributes").fill("temperature");
  await expect(panel).toContainText("gen_ai.request.temperature");
  await expect(panel).toContainText("0.25");
  await expect(panel).toContainText("double");
  await expect(panel).not.toContainText("gen_ai.usage.input_tokens");
  await panel.getByRole("tab", { name: "Metadata" }).click();
  await expect(panel).toContainText(ids.chat);

  await items.nth(2).click();
  await expect(panel).toContainText("the weather service answered 503");
  await panel.getByRole("tab", { name: /Events/ }).click();
  await expect(panel).toContainText("WeatherError");
  await expect(panel).toContainText("at weather.py:7");
});

test("is walked and folded by keyboard", async ({ page }) => {
  const { traceId } = await sendAgentTrace(`keys-${unique()}`);
  await openTraces(page);
  await page.goto(`${new URL(page.url()).pathname}/${traceId}`);
  const selected = page.locator('[role="treeitem"][aria-selected="true"]');
  await expect(selected).toHaveAttribute("aria-level", "1", STORED);
  await page.keyboard.press("j");
  await expect(selected).toContainText("chat gpt-4o-mini");
  await page.keyboard.press("j");
  await expect(selected).toContainText("get_weather");
  await page.keyboard.press("ArrowLeft");
  await expect(selected).toHaveAttribute("aria-level", "1");
  await page.keyboard.press("ArrowLeft");
  await expect(page.getByRole("treeitem")).toHaveCount(1);
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("treeitem")).toHaveCount(3);
});

test("shows a span whose parent is missing, marked", async ({ page }) => {
  const name = `lost-${unique()}`;
  const traceId = await sendTrace([{ name, parent: spanId(), start: 0, duration: 30 }]);
  await openTraces(page);
  await page.goto(`${new URL(page.url()).pathname}/${traceId}`);
  await expect(page.getByRole("treeitem")).toContainText(name, STORED);
  await expect(page.getByRole("img", { name: /has not arrived/ })).toBeVisible();
});

test("shows the spans of a large trace as they are scrolled to", async ({ page }) => {
  const root = spanId();
  const traceId = await sendTrace([
    { id: root, name: `large-${unique()}`, start: 0, duration: 3000 },
    ...Array.from({ length: 600 }, (_, index) => ({ name: `step ${index}`, parent: root, start: index * 5, duration: 4 })),
  ]);
  await openTraces(page);
  await page.goto(`${new URL(page.url()).pathname}/${traceId}`);
  await expect(page.getByText("601 spans", { exact: true })).toBeVisible(STORED);
  expect(await page.getByRole("treeitem").count()).toBeLessThan(120);
  await page.getByRole("tree").press("End");
  await expect(page.locator('[role="treeitem"][aria-selected="true"]')).toContainText("step 599");
});

test.describe("an unknown trace", () => {
  test.use({ expectedErrors: [/status of 404/] });

  test("is not found", async ({ page }) => {
    await openTraces(page);
    await page.goto(`${new URL(page.url()).pathname}/${"0".repeat(31)}1`);
    await expect(page.getByRole("alert")).toContainText("Trace not found");
  });
});

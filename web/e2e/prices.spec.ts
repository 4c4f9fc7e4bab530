import type { Page } from "@playwright/test";
import { expect, openTraces, sendTrace, STORED, test, unique } from "./support";

/** A call of a model that no catalogue knows: 1,000 tokens in, 100 of them from the cache, and 50 out. */
async function sendCall(model: string): Promise<string> {
  return sendTrace([
    {
      name: `chat ${model}`,
      start: 0,
      duration: 400,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.output_tokens": 50,
        "my.own.attribute": "of no rule",
      },
    },
  ]);
}

/** Opens the prices of the project, or one of their tabs. */
async function openPrices(page: Page, tab?: string): Promise<void> {
  await page.getByRole("link", { name: "Project settings" }).click();
  await page.getByRole("navigation", { name: "Project settings" }).getByRole("link", { name: "Prices" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Prices" })).toBeVisible();
  if (tab !== undefined) await page.getByRole("tab", { name: tab }).click();
}

async function openSpan(page: Page, traceId: string, tab: string): Promise<void> {
  await page.getByRole("treeitem").first().click(STORED);
  await page.getByTestId("span-panel").getByRole("tab", { name: tab }).click();
  expect(page.url()).toContain(traceId);
}

test("a model without a price gets one from its span, and what was stored is priced anew", async ({ page }) => {
  const model = `northwind-${unique()}`;
  const traceId = await sendCall(model);
  await openTraces(page);
  const traces = new URL(page.url()).pathname;
  await page.goto(`${traces}/${traceId}`);
  await openSpan(page, traceId, "Usage");
  const panel = page.getByTestId("span-panel");
  await expect(panel.getByRole("region", { name: "Usage" })).toContainText(/Cache read\s*100/);
  await expect(panel.getByRole("region", { name: "Usage" })).toContainText(/Fresh input\s*900/);
  await expect(panel.getByRole("region", { name: "Usage" })).toContainText(/Input\s*1,000/);
  await expect(panel.getByRole("region", { name: "Cost" })).toContainText("No price");
  await panel.getByRole("link", { name: `Set a price for ${model}` }).click();

  const dialog = page.getByRole("dialog", { name: "Add price" });
  await expect(dialog.getByLabel("Model")).toHaveValue(model);
  await expect(dialog.getByLabel("Provider")).toHaveValue("openai");
  await dialog.getByLabel("Fresh input").first().fill("2");
  await dialog.getByLabel("Cache read").first().fill("0.5");
  await dialog.getByLabel("Visible output").first().fill("$10");
  await dialog.getByRole("button", { name: "Add price", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("table", { name: "Own prices" })).toContainText(model);

  await page.getByRole("tab", { name: "Unpriced models" }).click();
  const row = page.getByRole("row").filter({ hasText: model });
  await expect(row).toContainText("Has a price now", STORED);
  await row.getByRole("button", { name: `Re-price: ${model}` }).click();
  await expect(page.getByLabel("Models")).toHaveValue(`openai/${model}`);
  await page.getByRole("button", { name: "Preview the difference" }).click();
  await page.getByRole("button", { name: "Apply", exact: true }).click(STORED);
  await expect(page.getByRole("table", { name: "By model" })).toContainText(model);
  await page.getByRole("dialog").getByRole("button", { name: "Re-price" }).click();
  await expect(page.getByRole("table", { name: "History" }).getByRole("row").nth(1)).toContainText(/Re-pricing.*Done/, STORED);

  // 900 at 2, 100 at 0.5 and 50 at 10 dollars for a million.
  await page.goto(`${traces}/${traceId}`);
  await openSpan(page, traceId, "Usage");
  const cost = panel.getByRole("region", { name: "Cost" });
  await expect(cost.getByRole("row", { name: /Total/ })).toContainText("$0.00235");
  await expect(cost).toContainText("Own price of the project");
  await expect(cost).toContainText("The same name");
});

test.describe("an own price", () => {
  test("says what is wrong with it, is found by its pattern, changed, deleted and brought back", async ({ page }) => {
    const family = `family-${unique()}`;
    await openTraces(page);
    await openPrices(page);
    await page.getByRole("button", { name: "Add price" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Add price", exact: true }).click();
    await expect(dialog).toContainText("This is needed.");
    await expect(dialog).toContainText("Set at least one rate.");
    await dialog.getByLabel("Model").fill(`${family}-*`);
    await dialog.getByLabel("Fresh input").first().fill("cheap");
    await dialog.getByRole("button", { name: "Add price", exact: true }).click();
    await expect(dialog.getByLabel("Fresh input").first()).toBeFocused();
    await dialog.getByLabel("Fresh input").first().fill("1.5");
    await dialog.getByRole("button", { name: "Add rates for long contexts" }).first().click();
    const long = dialog.getByRole("group", { name: "Long contexts" }).first();
    await long.getByLabel("More input tokens than").fill("200 000");
    await long.getByLabel("Fresh input").fill("3");
    await dialog.getByText("Service tiers").first().click();
    await dialog.getByRole("group", { name: "Batch" }).getByLabel("Fresh input").fill("0.75");
    await dialog.getByRole("button", { name: "Add price", exact: true }).click();
    await expect(dialog).toBeHidden();

    const table = page.getByRole("table", { name: "Own prices" });
    const row = table.getByRole("row").filter({ hasText: `${family}-*` });
    await row.getByRole("button", { name: `Show all rates of ${family}-*` }).click();
    await expect(table).toContainText("Above 200,000 tokens");

    await page.getByLabel("Model", { exact: true }).fill(`${family}-large`);
    await page.getByRole("button", { name: "Look it up" }).click();
    const test = page.getByRole("region", { name: "Which price holds?" }).or(page.locator("section").filter({ hasText: "Which price holds?" }));
    await expect(test.last()).toContainText("Pattern");
    await expect(test.last()).toContainText("Own price of the project");

    await row.getByRole("button", { name: `Actions for ${family}-*` }).click();
    await page.getByRole("menuitem", { name: "Edit price" }).click();
    await expect(dialog.getByLabel("Fresh input").first()).toHaveValue("1.5");
    await dialog.getByLabel("Fresh input").first().fill("1.25");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(row).toContainText("$1.25");

    await row.getByRole("button", { name: `Actions for ${family}-*` }).click();
    await page.getByRole("menuitem", { name: "Delete price" }).click();
    await expect(row).toHaveCount(0);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(row).toContainText("$1.25");
  });

  test("of the organisation counts in its projects", async ({ page }) => {
    const model = `everywhere-${unique()}`;
    await openTraces(page);
    await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name: "Organisation" }).click();
    await page.getByRole("navigation", { name: "Organisation" }).getByRole("link", { name: "Prices" }).click();
    await page.getByRole("button", { name: "Add price" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model").fill(model);
    await dialog.getByLabel("Fresh input").first().fill("4");
    await dialog.getByRole("button", { name: "Add price", exact: true }).click();
    await expect(dialog).toBeHidden();
    await openPrices(page);
    const row = page.getByRole("row").filter({ hasText: model });
    await expect(row).toContainText("Organisation");
    await row.getByRole("button", { name: `Actions for ${model}` }).click();
    await page.getByRole("menuitem", { name: "Set another one here" }).click();
    await expect(dialog.getByLabel("Fresh input").first()).toHaveValue("4");
  });
});

test("the catalogue is searched", async ({ page }) => {
  await openTraces(page);
  await openPrices(page, "Catalogue");
  await page.getByLabel("Find a model or provider").fill("claude-3-5-haiku");
  const table = page.getByRole("table", { name: "Catalogue" });
  await expect(table.getByRole("row").nth(1)).toContainText("claude-3-5-haiku");
  await page.getByLabel("Find a model or provider").fill(`nothing-${unique()}`);
  await expect(page.getByText("No model in the catalogue matches")).toBeVisible();
});

test("a span is shown as it was sent, with what each rule read", async ({ page }) => {
  const model = `northwind-${unique()}`;
  const traceId = await sendCall(model);
  await openTraces(page);
  await page.goto(`${new URL(page.url()).pathname}/${traceId}`);
  await openSpan(page, traceId, "OTLP");
  const panel = page.getByTestId("span-panel");
  const mapping = panel.getByRole("region", { name: "How it was read" });
  await expect(mapping).toContainText("gen_ai.request.model");
  await expect(mapping.getByRole("listitem").filter({ hasText: "my.own.attribute" })).toBeVisible();
  const json = panel.getByRole("region", { name: "As it was sent" });
  await json.getByRole("button", { name: "Text" }).click();
  await expect(json).toContainText('"resourceSpans"');
  await expect(json).toContainText(`"${traceId}"`);
  await expect(json).toContainText('"of no rule"');
  const download = page.waitForEvent("download");
  await json.getByRole("button", { name: "Download OTLP/JSON" }).click();
  expect((await download).suggestedFilename()).toMatch(/^[0-9a-f]{16}\.otlp\.json$/);
});

import { expect, logIn, openTraces, sendAgentTrace, server, test, unique } from "./support";

test("logs in, remembers the session over a reload, and logs out", async ({ page }) => {
  await openTraces(page);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Traces" })).toBeVisible();

  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
});

test("keeps the access token out of storage", async ({ page }) => {
  let token = "";
  page.on("response", (response) => {
    if (!response.url().endsWith("/auth/login")) return;
    void response.json().then((body: { data: { access_token: string } }) => {
      token = body.data.access_token;
    });
  });
  await openTraces(page);
  expect(token).not.toBe("");
  const stored = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
  expect(stored).not.toContain(token);
});

test.describe("wrong password", () => {
  test.use({ expectedErrors: [/status of 401/] });

  test("is refused in plain words", async ({ page }) => {
    await page.goto("/login");
    await logIn(page, `${server.password}-wrong`);
    await expect(page.getByRole("alert")).toContainText("Wrong e-mail or password");
    await expect(page).toHaveURL(/\/login/);
    await logIn(page);
    await expect(page.getByRole("heading", { name: "Traces" })).toBeVisible();
  });
});

test("returns to the span that a link was for", async ({ page, context }) => {
  const name = `deep-link-${unique()}`;
  const { traceId, ids } = await sendAgentTrace(name);
  // The project's id is in the address once somebody is logged in.
  await openTraces(page);
  const projectPath = new URL(page.url()).pathname;
  await context.clearCookies();
  await page.evaluate(() => localStorage.clear());

  await page.goto(`${projectPath}/${traceId}?span=${ids.chat}`);
  await logIn(page);
  await expect(page).toHaveURL(new RegExp(`${traceId}\\?span=${ids.chat}`));
  await expect(page.getByTestId("span-panel").getByRole("heading", { name: "chat gpt-4o-mini" })).toBeVisible();
});

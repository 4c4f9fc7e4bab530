import { expect, logIn, openTraces, sendAgentTrace, server, test, unique } from "./support";

test("logs in, remembers the session over a reload, and logs out", async ({ page }) => {
  await openTraces(page);
  await page.reload();
  await expect(page.getByRole("heading", { name: "Traces", exact: true })).toBeVisible();

  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Log in" })).toBeVisible();
});

test("ends the session on the server, also after the access token has expired", async ({ page, context }) => {
  await openTraces(page);
  const before = await context.cookies(`${server.url}/api/v1/auth/refresh`);
  expect(before.map((cookie) => cookie.name)).toEqual(["brokle_refresh"]);
  // The machine has slept: the page's clock jumps, no timer has run.
  await page.clock.setSystemTime(Date.now() + 8 * 3_600_000);
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login$/);
  expect(await context.cookies(`${server.url}/api/v1/auth/refresh`)).toEqual([]);

  const cookie = before.map(({ name, value }) => `${name}=${value}`).join();
  const refresh = await fetch(`${server.url}/api/v1/auth/refresh`, { method: "POST", headers: { Cookie: cookie } });
  expect(refresh.status, "what the cookie held opens nothing").toBe(401);
});

test.describe("a server out of reach", () => {
  test.use({ expectedErrors: [/net::ERR_FAILED/] });

  test("is reported at log-out, and another try ends the session", async ({ page, context }) => {
    await openTraces(page);
    await page.route("**/api/v1/auth/logout", (route) => route.abort());
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    const notice = page.getByRole("alert");
    await expect(notice).toContainText("the server could not be told");
    await page.reload();
    await notice.getByRole("button").click();
    await expect(notice).toContainText("No answer from the server");

    await page.unrouteAll();
    await notice.getByRole("button").click();
    await expect(notice).toBeHidden();
    await expect(page).toHaveURL(/\/login$/);
    expect(await context.cookies(`${server.url}/api/v1/auth/refresh`)).toEqual([]);
  });
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
    await expect(page.getByRole("heading", { name: "Traces", exact: true })).toBeVisible();
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

import { createHmac } from "node:crypto";
import type { Page } from "@playwright/test";
import { expect, logIn, openTraces, server, test, unique } from "./support";

const PASSWORD = "correct horse battery staple";

/** The code that an authenticator app would show, `steps` of 30 seconds from now. */
function totp(secret: string, steps = 0): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = Array.from(secret, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const offset = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, "0");
}

async function logOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login/);
}

/** Opens a page of the organisation by its name in the side navigation. */
async function openOrganization(page: Page, name: string): Promise<void> {
  await page.getByRole("navigation", { name: "Main navigation" }).getByRole("link", { name: "Organisation" }).click();
  await page.getByRole("navigation", { name: "Organisation" }).getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

async function openAdministration(page: Page, name: string): Promise<void> {
  await page.getByRole("link", { name: "Administration" }).click();
  await page.getByRole("navigation", { name: "Administration" }).getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
}

/** Invites somebody, and returns the link of the mail that the outbox keeps. */
async function invite(page: Page, email: string): Promise<string> {
  await openOrganization(page, "Invitations");
  await page.getByRole("button", { name: "Invite" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Invite" });
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByRole("button", { name: "Send invitation" }).click();
  await expect(page.getByRole("table", { name: "Invitations" })).toContainText(email);

  await openAdministration(page, "Outbox");
  await page.getByRole("row").filter({ hasText: email }).getByRole("button").first().click();
  const text = await page.getByRole("dialog").locator("pre").textContent();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  const path = /\/invitation\?token=[\w.~-]+/.exec(text ?? "")?.[0];
  expect(path, "the mail has a link").toBeDefined();
  return path ?? "";
}

test("an invitation from the outbox makes an account, a member, and an entry of the audit log", async ({ page }) => {
  const email = `margaret-${unique()}@example.com`;
  await openTraces(page);
  const path = await invite(page, email);
  await logOut(page);

  await page.goto(path);
  await expect(page.getByLabel("E-mail")).toHaveValue(email);
  await page.getByLabel("First name").fill("Margaret");
  await page.getByLabel("Last name").fill("Hamilton");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Make account" }).click();
  await expect(page.getByRole("button", { name: "Account: Margaret Hamilton" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Administration" })).toBeHidden();
  await logOut(page);

  await logIn(page);
  await openOrganization(page, "Members");
  await expect(page.getByRole("row").filter({ hasText: email })).toContainText("Margaret Hamilton");
  await openOrganization(page, "Audit log");
  await expect(page.getByRole("table", { name: "Audit log" })).toContainText(/invitation\./);
});

test.describe("a second factor", () => {
  // The log-in without a code is answered by 401.
  test.use({ expectedErrors: [/status of 401/] });

  test("is set up, asked for, and opens by a recovery code too", async ({ page }) => {
    const email = `grace-${unique()}@example.com`;
    await openTraces(page);
    const path = await invite(page, email);
    await logOut(page);
    await page.goto(path);
    await page.getByLabel("First name").fill("Grace");
    await page.getByLabel("Last name").fill("Hopper");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Make account" }).click();
    await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();

    await page.goto("/account/security");
    await page.getByRole("button", { name: "Set up the second factor" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await dialog.getByRole("button", { name: "Next" }).click();
    await expect(dialog.getByRole("img", { name: /QR code/ })).toBeVisible();
    const secret = ((await dialog.locator("code").textContent()) ?? "").replaceAll(" ", "");
    await dialog.getByLabel("Code", { exact: true }).fill(totp(secret));
    await dialog.getByRole("button", { name: "Turn on" }).click();
    const codes = page.getByRole("dialog", { name: "Keep your recovery codes" });
    await expect(codes.getByRole("listitem")).toHaveCount(10);
    const recovery = (await codes.getByRole("listitem").first().textContent()) ?? "";
    await page.keyboard.press("Escape");
    await expect(codes, "closes by its own button only").toBeVisible();
    await codes.getByRole("button", { name: "I have kept them" }).click();
    await logOut(page);

    const withPassword = async () => {
      await page.getByLabel("E-mail").fill(email);
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.getByRole("button", { name: "Log in" }).click();
      await expect(page.getByRole("heading", { name: "Second factor" })).toBeVisible();
    };
    await withPassword();
    // The code that turned it on is used up; the next one is good already.
    await page.getByLabel("Code", { exact: true }).fill(totp(secret, 1));
    await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();
    await logOut(page);

    await withPassword();
    await page.getByRole("button", { name: "Use a recovery code" }).click();
    await page.getByLabel("Recovery code").fill(recovery);
    await page.getByRole("button", { name: "Log in" }).click();
    await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();
  });
});

test("an API key is created, seen once, and revoked by its name", async ({ page }) => {
  const name = `key-${unique()}`;
  await openTraces(page);
  await page.getByRole("link", { name: "Project settings" }).click();
  await page.getByRole("link", { name: "API keys" }).click();
  await page.getByRole("button", { name: "New API key" }).first().click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create key" }).click();
  const key = (await page.getByTestId("new-api-key").textContent()) ?? "";
  expect(key.length).toBeGreaterThan(20);
  await page.getByRole("button", { name: "I have copied it" }).click();
  const row = page.getByRole("row").filter({ hasText: name });
  await expect(row).toBeVisible();
  await page.reload();
  await expect(row).toBeVisible();
  expect(await page.content()).not.toContain(key);

  const send = () =>
    fetch(`${server.url}/v1/traces`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-API-Key": key },
      body: JSON.stringify({ resourceSpans: [] }),
    });
  expect((await send()).status).toBe(200);
  await row.getByRole("button", { name: `Actions for ${name}` }).click();
  await page.getByRole("menuitem", { name: "Revoke" }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Revoke" });
  await expect(confirm).toBeDisabled();
  await page.getByRole("dialog").getByRole("textbox").fill(name);
  await confirm.click();
  await expect(page.getByRole("dialog")).toBeHidden();
  expect((await send()).status).toBe(401);
});

test("a project is created, switched to, archived, and all of it is in the audit log", async ({ page }) => {
  const name = `project-${unique()}`;
  await openTraces(page);
  const first = page.url();
  await page.getByRole("button", { name: /^Switch project/ }).click();
  await page.getByRole("button", { name: /^New project in/ }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("button", { name: `Switch project: ${name}` })).toBeVisible();
  expect(page.url()).not.toBe(first);

  await page.goto(first);
  await page.getByRole("button", { name: /^Switch project/ }).click();
  await page.getByRole("combobox").fill(name);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: `Switch project: ${name}` })).toBeVisible();

  await page.getByRole("link", { name: "Project settings" }).click();
  await page.getByRole("button", { name: "Archive" }).click();
  await expect(page.getByText(`${name} is archived`)).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Archive", exact: true })).toBeVisible();

  await openOrganization(page, "Audit log");
  await page.getByRole("row").filter({ hasText: name }).first().getByRole("button", { name: "Show details" }).click();
  await expect(page.getByText("Request id").first()).toBeVisible();
  await page.goto(first);
});

test("administration lists users, jobs and schedules", async ({ page }) => {
  await openTraces(page);
  await openAdministration(page, "Users");
  await expect(page.getByRole("row").filter({ hasText: server.email })).toContainText("Administrator");
  await openAdministration(page, "Jobs");
  await expect(page.getByText("Runners")).toBeVisible();
  await openAdministration(page, "Schedules");
  await expect(page.getByRole("button", { name: /^Run now/ }).first()).toBeVisible();
  await openAdministration(page, "Settings");
  await expect(page.getByRole("form", { name: "Allowed domains" })).toBeVisible();
});

/** Sets or, without a value, resets a setting of the installation. */
async function setSetting(key: string, value?: string): Promise<void> {
  const login = await fetch(`${server.url}/api/v1/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: server.email, password: server.password }),
  });
  const { data } = (await login.json()) as { data: { access_token: string } };
  const response = await fetch(`${server.url}/api/v1/admin/settings/${key}`, {
    method: value === undefined ? "DELETE" : "PUT",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${data.access_token}` },
    body: value === undefined ? undefined : JSON.stringify({ value }),
  });
  expect(response.status, await response.text()).toBe(200);
}

test.describe("an e-mail address", () => {
  // The log-in before it is confirmed is answered by 403.
  test.use({ expectedErrors: [/status of 403/] });
  test.afterEach(() => setSetting("sign_up.mode"));

  test("is confirmed by a press of the button, not by opening the link", async ({ page }) => {
    const email = `katherine-${unique()}@example.com`;
    await setSetting("sign_up.mode", "open");
    await page.goto("/signup");
    await page.getByLabel("First name").fill("Katherine");
    await page.getByLabel("Last name").fill("Johnson");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Make account" }).click();
    await expect(page.getByRole("heading", { name: "Check your mail" })).toBeVisible();

    await openTraces(page);
    await openAdministration(page, "Outbox");
    await page.getByRole("row").filter({ hasText: email }).getByRole("button").first().click();
    const text = await page.getByRole("dialog").locator("pre").textContent();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    const path = /\/verify-email\?token=[\w.~-]+/.exec(text ?? "")?.[0] ?? "";
    expect(path, "the mail has a link").not.toBe("");
    await logOut(page);

    const logInAsKatherine = async () => {
      await page.goto("/login");
      await page.getByLabel("E-mail").fill(email);
      await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    // Opened and not pressed, as by a program that looks into mails.
    await page.goto(path);
    await expect(page.getByRole("button", { name: "Confirm my e-mail address" })).toBeVisible();
    await page.waitForLoadState("networkidle");
    await logInAsKatherine();
    await expect(page.getByText("Your e-mail address is not confirmed yet")).toBeVisible();

    await page.goto(path);
    await page.getByRole("button", { name: "Confirm my e-mail address" }).click();
    await expect(page.getByRole("heading", { name: "E-mail confirmed" })).toBeVisible();
    await logInAsKatherine();
    await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();
  });
});

test("an invitation to somebody with an account is declined in the list of theirs", async ({ page, browser }) => {
  const [first, email] = [`org-${unique()}`, `dorothy-${unique()}@example.com`];
  await openTraces(page);
  const path = await invite(page, email);
  await logOut(page);
  await page.goto(path);
  await page.getByLabel("First name").fill("Dorothy");
  await page.getByLabel("Last name").fill("Vaughan");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Make account" }).click();
  await expect(page.getByRole("button", { name: /^Account/ })).toBeVisible();

  // Another organisation wants her as well.
  const other = await browser.newPage();
  await openTraces(other);
  await other.goto("/account/organizations");
  await other.getByRole("button", { name: "New organisation" }).click();
  await other.getByRole("dialog").getByLabel("Name").fill(first);
  await other.getByRole("button", { name: "Create organisation" }).click();
  await expect(other.getByRole("dialog")).toBeHidden();
  await invite(other, email);
  await other.close();

  await page.goto("/account/invitations");
  await page.getByRole("button", { name: `Decline: ${first}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Decline invitation" }).click();
  await expect(page.getByText("No invitation waits for you")).toBeVisible();
});

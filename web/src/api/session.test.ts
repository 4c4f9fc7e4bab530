import { beforeEach, describe, expect, it, vi } from "vitest";
import { authorizedFetch, SessionManager } from "./session";

const USER = { id: "u", email: "ada@example.com", first_name: "Ada", last_name: "L" };

/** A server in memory with one session: tokens count up, and only the newest is good, for a quarter of an hour. */
class FakeServer {
  issued = 0;
  refreshes = 0;
  logins = 0;
  refreshStatus = 200;
  logoutStatus = 200;
  /** Whether the session is open, so that its cookie is good for a new token. */
  open = true;
  private expiresAt = 0;
  offline = false;
  /** Resolves a refresh that is held back. */
  release: (() => void) | null = null;
  hold = false;
  seen: (string | null)[] = [];

  readonly fetch: typeof fetch = async (input, init) => {
    const request = new Request(input instanceof Request ? input : new URL(String(input), "http://server"), init);
    if (this.offline) throw new TypeError("Failed to fetch");
    const path = new URL(request.url).pathname;
    if (path === "/api/v1/auth/refresh") {
      this.refreshes += 1;
      if (this.hold) await new Promise<void>((resolve) => (this.release = resolve));
      const status = this.open ? this.refreshStatus : 401;
      return status === 200 ? this.grant() : envelope(status, "REFRESH_EXPIRED", "log in again");
    }
    if (path === "/api/v1/auth/login") {
      this.logins += 1;
      const body = (await request.json()) as { password: string };
      return body.password === "right" ? this.grant() : envelope(401, "UNAUTHORIZED_ERROR", "wrong e-mail or password");
    }
    const token = request.headers.get("Authorization");
    this.seen.push(token);
    if (!this.open || token !== `Bearer token-${this.issued}` || now >= this.expiresAt) {
      return envelope(401, "UNAUTHORIZED_ERROR", "the token has expired");
    }
    if (path === "/api/v1/auth/logout") {
      if (this.logoutStatus !== 200) return envelope(this.logoutStatus, "SERVICE_UNAVAILABLE_ERROR", "try again");
      this.open = false;
    }
    return Response.json({ success: true, data: await request.text() });
  };

  private grant(): Response {
    this.issued += 1;
    this.open = true;
    this.expiresAt = now + 900_000;
    return Response.json({
      success: true,
      data: { access_token: `token-${this.issued}`, token_type: "Bearer", expires_in: 900, user: USER },
      meta: { request_id: "r" },
    });
  }
}

function envelope(status: number, code: string, message: string): Response {
  return Response.json({ success: false, data: null, error: { code, message }, meta: { request_id: "req-1" } }, { status });
}

let server: FakeServer;
let hint: boolean;
let now: number;
let session: SessionManager;
let signedOut: ReturnType<typeof vi.fn<() => void>>;
let call: (path?: string, init?: RequestInit) => Promise<Response>;

beforeEach(() => {
  server = new FakeServer();
  hint = true;
  now = 1_000_000;
  session = new SessionManager(server.fetch, { get: () => hint, set: (value) => (hint = value) }, () => now);
  signedOut = vi.fn<() => void>();
  const send = authorizedFetch(session, server.fetch, signedOut);
  call = (path = "/api/v1/users/me", init) => send(new Request(`http://server${path}`, init));
});

describe("on load", () => {
  it("refreshes when somebody was logged in here", async () => {
    await expect(session.ensure()).resolves.toBe(true);
    expect(session.user).toEqual(USER);
    expect(server.refreshes).toBe(1);
  });

  it("does not ask on a first visit", async () => {
    hint = false;
    await expect(session.ensure()).resolves.toBe(false);
    expect(server.refreshes).toBe(0);
  });

  it("forgets when the refresh is refused", async () => {
    server.refreshStatus = 401;
    await expect(session.ensure()).resolves.toBe(false);
    expect(hint).toBe(false);
  });

  it("does not log out because the server is away", async () => {
    server.refreshStatus = 503;
    await expect(session.ensure()).rejects.toMatchObject({ status: 503, requestId: "req-1" });
    expect(hint).toBe(true);
    server.offline = true;
    await expect(session.ensure()).rejects.toMatchObject({ status: 0, code: "NETWORK_ERROR" });
    expect(hint).toBe(true);
  });
});

describe("requests", () => {
  it("share one refresh", async () => {
    const answers = await Promise.all([call(), call(), call(), session.ensure()]);
    expect(answers.slice(0, 3).map((answer) => (answer as Response).status)).toEqual([200, 200, 200]);
    expect(server.refreshes).toBe(1);
  });

  it("refresh once after a 401 and are sent again with their body", async () => {
    await session.login("a", "right");
    server.issued = 5;
    const answer = await call("/api/v1/things", { method: "POST", body: "payload" });
    expect(await answer.json()).toMatchObject({ data: "payload" });
    expect(server.refreshes).toBe(1);
    expect(server.seen).toEqual(["Bearer token-1", "Bearer token-6"]);
  });

  it("share the refresh after a 401 as well", async () => {
    await session.login("a", "right");
    server.issued = 5;
    const answers = await Promise.all([call(), call(), call()]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(server.refreshes).toBe(1);
  });

  it("do not refresh again when another request already did", async () => {
    await session.login("a", "right");
    server.issued = 5;
    await call();
    await call();
    expect(server.refreshes).toBe(1);
  });

  it("give up after one retry", async () => {
    await session.login("a", "right");
    const broken = authorizedFetch(
      session,
      (input, init) =>
        input instanceof Request && input.url.endsWith("/broken") ? Promise.resolve(envelope(401, "X", "no")) : server.fetch(input, init),
      signedOut,
    );
    expect((await broken(new Request("http://server/broken"))).status).toBe(401);
    expect(server.refreshes).toBe(1);
  });

  it("renew a token that is about to end before they use it", async () => {
    await session.login("a", "right");
    now += 890_000;
    expect((await call()).status).toBe(200);
    expect(server.refreshes).toBe(1);
    expect(server.seen).toEqual(["Bearer token-2"]);
  });

  it("report the end of the session", async () => {
    await session.login("a", "right");
    server.issued = 5;
    server.refreshStatus = 401;
    expect((await call()).status).toBe(401);
    expect(signedOut).toHaveBeenCalledTimes(1);
    expect(session.user).toBeNull();
    expect(hint).toBe(false);
  });
});

describe("log-in and log-out", () => {
  it("passes on why a log-in failed", async () => {
    await expect(session.login("a", "wrong")).rejects.toMatchObject({
      status: 401,
      code: "UNAUTHORIZED_ERROR",
      message: "wrong e-mail or password",
      requestId: "req-1",
    });
    expect(session.user).toBeNull();
  });

  const expectForgotten = () => {
    expect(session.user).toBeNull();
    expect(session.usableToken).toBeNull();
    expect(hint).toBe(false);
  };

  it("ends the session on the server", async () => {
    await session.login("a", "right");
    await session.logout();
    expect(server.open).toBe(false);
    expect(server.refreshes).toBe(0);
    expectForgotten();
  });

  it("ends it with a new token when the old one has expired", async () => {
    await session.login("a", "right");
    now += 8 * 3_600_000;
    await session.logout();
    expect(server.open).toBe(false);
    expect(server.seen).toEqual(["Bearer token-2"]);
    expectForgotten();
  });

  it("ends it with a new token when the server finds the old one expired", async () => {
    await session.login("a", "right");
    server.issued = 5;
    await session.logout();
    expect(server.open).toBe(false);
    expect(server.seen).toEqual(["Bearer token-1", "Bearer token-6"]);
    expectForgotten();
  });

  it("is content when the session has ended before", async () => {
    await session.login("a", "right");
    server.open = false;
    await session.logout();
    expectForgotten();
    now += 8 * 3_600_000;
    await session.logout();
    expectForgotten();
  });

  it("forgets and says so when the server is away, and ends the session at the next try", async () => {
    for (const pause of [0, 8 * 3_600_000]) {
      await session.login("a", "right");
      now += pause;
      server.offline = true;
      await expect(session.logout()).rejects.toMatchObject({ status: 0, code: "NETWORK_ERROR" });
      expectForgotten();
      await expect(session.ensure()).resolves.toBe(false);

      server.offline = false;
      expect(server.open).toBe(true);
      await session.logout();
      expect(server.open).toBe(false);
      expectForgotten();
    }
  });

  it("says so when the server fails", async () => {
    await session.login("a", "right");
    server.logoutStatus = 503;
    await expect(session.logout()).rejects.toMatchObject({ status: 503, requestId: "req-1" });
    expectForgotten();
    server.refreshStatus = 500;
    await expect(session.logout()).rejects.toMatchObject({ status: 500 });
    expect(server.open).toBe(true);
  });

  it("is not undone by a request that was on its way", async () => {
    await session.login("a", "right");
    const answers: ((response: Response) => void)[] = [];
    const slow = authorizedFetch(session, () => new Promise((resolve) => answers.push(resolve)), signedOut);
    const request = slow(new Request("http://server/slow"));
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    await session.logout();
    answers[0]?.(envelope(401, "UNAUTHORIZED_ERROR", "the session has ended"));
    expect((await request).status).toBe(401);
    expect(server.refreshes).toBe(0);
    expect(signedOut).not.toHaveBeenCalled();
  });

  it("is not undone by a refresh that was on its way", async () => {
    await session.login("a", "right");
    server.hold = true;
    const refreshing = session.refresh();
    await vi.waitFor(() => expect(server.release).not.toBeNull());
    await session.logout();
    server.release?.();
    await expect(refreshing).resolves.toBe(false);
    expect(session.user).toBeNull();
    expect(hint).toBe(false);
  });

  it("tells its listeners", async () => {
    const listener = vi.fn();
    const stop = session.subscribe(listener);
    await session.login("a", "right");
    await session.logout();
    stop();
    await session.login("a", "right");
    expect(listener).toHaveBeenCalledTimes(2);
  });
});

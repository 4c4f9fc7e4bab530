/**
 * Who is logged in. The access token lives in this object only, never in storage; what survives a reload is
 * the refresh token in an HttpOnly cookie that only the refresh route receives.
 */
import type { Session, SessionUser } from "./contract";
import { ApiError, errorFromResponse, toApiError } from "./error";

/** Keeps whether somebody was logged in here, so that a first visit does not ask for a refresh in vain. */
export interface SessionHint {
  get(): boolean;
  set(present: boolean): void;
}

type Listener = () => void;

interface Current {
  token: string;
  /** Milliseconds since the epoch, by this machine's clock. */
  expiresAt: number;
  user: SessionUser;
}

/** A token this close to its end is renewed before it is used. */
const RENEW_BEFORE_MS = 20_000;
/** A server that says nothing for this long is taken to be out of reach. */
const ANSWER_WITHIN_MS = 30_000;

export class SessionManager {
  private current: Current | null = null;
  private refreshing: Promise<boolean> | null = null;
  /** Rises with every log-in and log-out: an answer to an older refresh must not undo them. */
  private generation = 0;
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly send: typeof fetch,
    private readonly hint: SessionHint,
    private readonly now: () => number = Date.now,
  ) {}

  get user(): SessionUser | null {
    return this.current?.user ?? null;
  }

  /** The token to send, or null when there is none or it is about to expire. */
  get usableToken(): string | null {
    if (this.current === null || this.current.expiresAt - RENEW_BEFORE_MS <= this.now()) return null;
    return this.current.token;
  }

  subscribe(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Logs in; throws an ApiError with the server's message when it refuses. */
  async login(email: string, password: string): Promise<void> {
    this.adopt((await this.post("/api/v1/auth/login", { body: { email, password } })) as Session);
  }

  /** Takes over a session that another request than the log-in opened. */
  adopt(session: Session): void {
    this.generation += 1;
    this.accept(session);
  }

  /**
   * Makes sure that there is a usable token, refreshing when there is none.
   * Returns false when nobody is logged in; throws when the server could not be asked.
   */
  async ensure(): Promise<boolean> {
    if (this.usableToken !== null) return true;
    if (this.current === null && !this.hint.get()) return false;
    return this.refresh();
  }

  /** Asks for a new access token. However many callers ask at once, one request is sent. */
  refresh(): Promise<boolean> {
    this.refreshing ??= this.refreshOnce().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async refreshOnce(): Promise<boolean> {
    const generation = this.generation;
    try {
      const session = await this.post("/api/v1/auth/refresh");
      if (generation === this.generation) this.accept(session as Session);
      return this.current !== null;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        if (generation === this.generation) this.forget();
        return this.current !== null;
      }
      throw error;
    }
  }

  /**
   * Ends the session on the server, and here whatever the server says. Throws an ApiError when the session could not be ended
   * there: the cookie opens it until it expires, and logging out again is the way to close it.
   */
  async logout(): Promise<void> {
    try {
      await this.endOnServer();
    } finally {
      this.generation += 1;
      this.forget();
    }
  }

  /** The server ends the session of a good access token only, so one is fetched when there is none. */
  private async endOnServer(): Promise<void> {
    const token = this.usableToken;
    if (token !== null) {
      try {
        await this.post("/api/v1/auth/logout", { token });
        return;
      } catch (error) {
        // Good by this machine's clock, but not by the server's.
        if (!(error instanceof ApiError && error.status === 401)) throw error;
      }
    }
    // When even the refresh is refused, the session has ended before.
    if (await this.refresh()) await this.post("/api/v1/auth/logout", { token: this.current?.token });
  }

  /** Drops what is in memory, without a request. */
  forget(): void {
    this.hint.set(false);
    if (this.current === null) return;
    this.current = null;
    this.notify();
  }

  private accept(session: Session): void {
    this.current = {
      token: session.access_token,
      expiresAt: this.now() + session.expires_in * 1000,
      user: session.user,
    };
    this.hint.set(true);
    this.notify();
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }

  /** Returns the data of the answer, or throws an ApiError. */
  private async post(path: string, { body, token }: { body?: unknown; token?: string } = {}): Promise<unknown> {
    const headers = new Headers();
    if (body !== undefined) headers.set("Content-Type", "application/json");
    if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
    let response: Response;
    try {
      response = await this.send(path, {
        method: "POST",
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "same-origin",
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
    } catch (error) {
      throw toApiError(error);
    }
    const parsed: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorFromResponse(response, parsed);
    return (parsed as { data: unknown }).data;
  }
}

/**
 * A fetch that sends the access token, and after a 401 refreshes once and tries once more.
 * `onSignedOut` is called when the refresh shows that the session is over.
 */
export function authorizedFetch(session: SessionManager, send: typeof fetch, onSignedOut: () => void) {
  return async (request: Request): Promise<Response> => {
    const attempt = async (): Promise<Response> => {
      const copy = request.clone();
      const token = session.usableToken;
      if (token !== null) copy.headers.set("Authorization", `Bearer ${token}`);
      return send(copy);
    };
    const hadUser = session.user !== null;
    let signedIn = session.usableToken !== null || (await session.ensure());
    if (signedIn) {
      const tokenUsed = session.usableToken;
      const response = await attempt();
      // Somebody who logged out meanwhile is not logged in again, nor told that the session has ended.
      if (response.status !== 401 || session.user === null) return response;
      // Another request may have refreshed while this one was on its way.
      signedIn = (session.usableToken !== null && session.usableToken !== tokenUsed) || (await session.refresh());
      if (signedIn) return attempt();
      onSignedOut();
      return response;
    }
    if (hadUser) onSignedOut();
    return attempt();
  };
}

import createClient from "openapi-fetch";
import type { Meta, paths } from "./contract";
import { errorFromResponse, toApiError } from "./error";
import { authorizedFetch, SessionManager } from "./session";

const HINT_KEY = "brokle.session";

/** The browser's own fetch, looked up at each call so that it keeps its `this`. */
const send: typeof fetch = (input, init) => globalThis.fetch(input, init);

export const session = new SessionManager(send, {
  get() {
    try {
      return localStorage.getItem(HINT_KEY) === "1";
    } catch {
      // Without storage it is unknown; asking is right then.
      return true;
    }
  },
  set(present) {
    try {
      if (present) localStorage.setItem(HINT_KEY, "1");
      else localStorage.removeItem(HINT_KEY);
    } catch {
      // Without storage every load asks for a refresh.
    }
  },
});

const signedOutListeners = new Set<() => void>();

/** Calls back when the server ended the session while the app was in use. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

/** A fetch as whoever is logged in. */
export const authorized = authorizedFetch(session, send, () => {
  for (const listener of signedOutListeners) listener();
});

export const api = createClient<paths>({ baseUrl: globalThis.location.origin, fetch: authorized });

interface Answer<Envelope> {
  data?: Envelope;
  error?: unknown;
  response: Response;
}

/** Waits for a call of `api` and returns the data of its envelope with the meta, or throws an ApiError. */
export async function unwrap<Data>(
  call: Promise<Answer<{ data: Data; meta: Meta }>>,
): Promise<{ data: Data; meta: Meta }> {
  let answer: Answer<{ data: Data; meta: Meta }>;
  try {
    answer = await call;
  } catch (error) {
    // An aborted request is not a failure: TanStack Query must see the original.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw toApiError(error);
  }
  if (answer.data === undefined || !answer.response.ok) throw errorFromResponse(answer.response, answer.error);
  return answer.data;
}

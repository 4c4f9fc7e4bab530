/** Calls of the API by their paths: what is sent along, and errors in one form. */
import { address, type Query } from "./address";
import { authorized } from "./client";
import type { Meta } from "./contract";
import { errorFromResponse, toApiError } from "./error";

/** One page of a list, with the cursor of the next. */
export interface Paged<Item> {
  items: Item[];
  nextCursor: string | null;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export interface Options {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  /** For routes that ask for nobody: no token is sent, and a 401 is about what was sent, not about the session. */
  open?: true;
}

export async function send(method: Method, path: string, { query, body, signal, open }: Options): Promise<Response> {
  const request = new Request(new URL(address(path, query), globalThis.location.origin), {
    method,
    signal,
    credentials: "same-origin",
    ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
  });
  try {
    return open === true ? await fetch(request) : await authorized(request);
  } catch (error) {
    // An aborted request is not a failure: TanStack Query must see the original.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw toApiError(error);
  }
}

async function call(method: Method, path: string, options: Options = {}): Promise<{ data: unknown; meta: Meta }> {
  const response = await send(method, path, options);
  const parsed: unknown = await response.json().catch(() => null);
  if (!response.ok || parsed === null) throw errorFromResponse(response, parsed);
  return parsed as { data: unknown; meta: Meta };
}

export async function data<Data>(method: Method, path: string, options: Options = {}): Promise<Data> {
  return (await call(method, path, options)).data as Data;
}

export async function page<Item>(path: string, query: Query, signal?: AbortSignal): Promise<Paged<Item>> {
  const answer = await call("GET", path, { query, signal });
  return { items: answer.data as Item[], nextCursor: answer.meta.pagination?.next_cursor ?? null };
}

export const get = <Data>(path: string, signal?: AbortSignal, query?: Query) => data<Data>("GET", path, { signal, query });
export const post = <Data = unknown>(path: string, body?: unknown) => data<Data>("POST", path, { body });
export const put = <Data = unknown>(path: string, body: unknown) => data<Data>("PUT", path, { body });
export const patch = <Data = unknown>(path: string, body: unknown) => data<Data>("PATCH", path, { body });
export const remove = <Data = unknown>(path: string) => data<Data>("DELETE", path);
export const openly = <Data>(path: string, body: unknown) => data<Data>("POST", path, { body, open: true });

/** What went wrong with a request, in the words of the server where it said any. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    message: string,
    /** HTTP status; 0 when no answer came at all. */
    readonly status: number,
    /** The code of the error envelope, or one of NETWORK_ERROR and UNREADABLE_ANSWER. */
    readonly code: string,
    readonly requestId: string | null,
    /** What else the server said, in the form that belongs to the code. */
    readonly details: unknown = null,
    /** Seconds to wait before another try, from Retry-After. */
    readonly retryAfter: number | null = null,
  ) {
    super(message);
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }

  /** What is wrong with which field of a request body; empty when the error is about something else. */
  get fieldErrors(): Readonly<Record<string, string>> {
    if (!Array.isArray(this.details)) return {};
    const found: Record<string, string> = {};
    for (const detail of this.details) {
      if (!isRecord(detail)) continue;
      const field = text(detail.field);
      const message = text(detail.message);
      if (field !== null && message !== null) found[field] ??= message;
    }
    return found;
  }

  /** A member of `details` where that is an object. */
  detail(name: string): unknown {
    return isRecord(this.details) ? this.details[name] : undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Builds an error from an answer that is not 2xx, whether or not it carries the error envelope. */
export function errorFromResponse(response: Response, body: unknown): ApiError {
  const envelope = isRecord(body) ? body : {};
  const error = isRecord(envelope.error) ? envelope.error : {};
  const meta = isRecord(envelope.meta) ? envelope.meta : {};
  const code = text(error.code);
  return new ApiError(
    text(error.message) ?? `HTTP ${response.status}${response.statusText ? ` ${response.statusText}` : ""}`,
    response.status,
    code ?? "UNREADABLE_ANSWER",
    text(meta.request_id) ?? response.headers.get("X-Request-ID"),
    error.details ?? null,
    seconds(response.headers.get("Retry-After")),
  );
}

/** Retry-After in its form of seconds, which is the one that the server writes. */
function seconds(header: string | null): number | null {
  if (header === null || !/^\d+$/.test(header.trim())) return null;
  return Number(header);
}

/** Messages of the server are fragments in lower case without a full stop. */
export function sentence(message: string): string {
  if (message === "") return message;
  const written = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?…]$/.test(written) ? written : `${written}.`;
}

/** Turns anything that was thrown into an ApiError; a failed fetch throws a TypeError. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ApiError(message, 0, error instanceof TypeError ? "NETWORK_ERROR" : "CLIENT_ERROR", null);
}

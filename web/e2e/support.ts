import { randomBytes } from "node:crypto";
import { expect, test as base, type Page } from "@playwright/test";

function need(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`set ${name}; web/README.md says what for`);
  return value;
}

export const server = {
  url: need("BROKLE_E2E_URL").replace(/\/$/, ""),
  email: need("BROKLE_E2E_EMAIL"),
  password: need("BROKLE_E2E_PASSWORD"),
  apiKey: need("BROKLE_E2E_API_KEY"),
};

/** Stored means visible within this time, also on a busy machine. */
export const STORED = { timeout: 15_000 };

interface Fixtures {
  /** Texts that may stand in a message of the console, for tests that provoke a failure. */
  expectedErrors: RegExp[];
  quietConsole: undefined;
}

/** Every test fails on an error in the console or an uncaught exception. */
export const test = base.extend<Fixtures>({
  expectedErrors: [[], { option: true }],
  quietConsole: [
    async ({ page, expectedErrors }, use) => {
      const problems: string[] = [];
      page.on("console", (message) => {
        if (message.type() !== "error") return;
        if (!expectedErrors.some((expected) => expected.test(message.text()))) problems.push(message.text());
      });
      page.on("pageerror", (error) => problems.push(error.message));
      await use(undefined);
      expect(problems, "errors in the console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function logIn(page: Page, password = server.password): Promise<void> {
  await page.getByLabel("E-mail").fill(server.email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

/** Logs in and waits for the list. */
export async function openTraces(page: Page): Promise<void> {
  await page.goto("/");
  await logIn(page);
  await expect(page.getByRole("heading", { name: "Traces", exact: true })).toBeVisible();
}

type Value = string | number | boolean;

export interface SpanSpec {
  id?: string;
  parent?: string;
  name: string;
  /** Milliseconds after the start of the trace. */
  start: number;
  /** Milliseconds. */
  duration: number;
  attributes?: Record<string, Value>;
  error?: string;
  events?: { name: string; at: number; attributes?: Record<string, Value> }[];
}

export const spanId = (): string => randomBytes(8).toString("hex");
/** Tells the traces of one test from those of every other. */
export const unique = (): string => randomBytes(4).toString("hex");

function attributes(values: Record<string, Value> = {}): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { stringValue: value }
        : typeof value === "boolean"
          ? { boolValue: value }
          : Number.isInteger(value)
            ? { intValue: String(value) }
            : { doubleValue: value },
  }));
}

/** Sends one trace as OTLP/JSON and returns its id. It starts shortly before now. */
export async function sendTrace(spans: SpanSpec[]): Promise<string> {
  const traceId = randomBytes(16).toString("hex");
  const length = Math.max(...spans.map((span) => span.start + span.duration));
  const begin = Date.now() - length - 50;
  const nanos = (milliseconds: number) => `${BigInt(Math.round(begin + milliseconds)) * 1_000_000n}`;
  const body = {
    resourceSpans: [
      {
        resource: {
          attributes: attributes({ "service.name": "e2e", "deployment.environment.name": "e2e" }),
        },
        scopeSpans: [
          {
            scope: { name: "brokle-e2e", version: "1.0" },
            spans: spans.map((span) => ({
              traceId,
              spanId: span.id ?? spanId(),
              ...(span.parent !== undefined && { parentSpanId: span.parent }),
              name: span.name,
              kind: 1,
              startTimeUnixNano: nanos(span.start),
              endTimeUnixNano: nanos(span.start + span.duration),
              attributes: attributes(span.attributes),
              events: (span.events ?? []).map((event) => ({
                name: event.name,
                timeUnixNano: nanos(event.at),
                attributes: attributes(event.attributes),
              })),
              status: span.error === undefined ? { code: 1 } : { code: 2, message: span.error },
            })),
          },
        ],
      },
    ],
  };
  const response = await fetch(`${server.url}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-API-Key": server.apiKey },
    body: JSON.stringify(body),
  });
  expect(response.status, await response.text()).toBe(200);
  return traceId;
}

/** An agent that calls a model and a tool, and the ids of its spans. */
export async function sendAgentTrace(name: string) {
  const ids = { agent: spanId(), chat: spanId(), tool: spanId() };
  const traceId = await sendTrace([
    {
      id: ids.agent,
      name,
      start: 0,
      duration: 1200,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "user.id": "user-e2e",
        "session.id": "session-e2e",
        "input.value": "What is the weather in Bern?",
        "output.value": "7 degrees and rain.",
      },
    },
    {
      id: ids.chat,
      parent: ids.agent,
      name: "chat gpt-4o-mini",
      start: 20,
      duration: 640,
      attributes: {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 1234,
        "gen_ai.usage.output_tokens": 56,
        "gen_ai.request.temperature": 0.25,
        "gen_ai.input.messages": JSON.stringify([
          { role: "system", parts: [{ type: "text", content: "You know the weather." }] },
          { role: "user", parts: [{ type: "text", content: "What is the weather in Bern?" }] },
        ]),
        "gen_ai.output.messages": JSON.stringify([
          {
            role: "assistant",
            parts: [{ type: "tool_call", id: "call_1", name: "get_weather", arguments: { city: "Bern" } }],
            finish_reason: "tool_call",
          },
        ]),
      },
    },
    {
      id: ids.tool,
      parent: ids.agent,
      name: "get_weather",
      start: 680,
      duration: 420,
      attributes: {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.call.arguments": JSON.stringify({ city: "Bern" }),
      },
      error: "the weather service answered 503",
      events: [
        {
          name: "exception",
          at: 1090,
          attributes: { "exception.type": "WeatherError", "exception.message": "503", "exception.stacktrace": "at weather.py:7" },
        },
      ],
    },
  ]);
  return { traceId, ids };
}

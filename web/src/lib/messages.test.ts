import { describe, expect, it } from "vitest";
import { parsePayload, type ChatMessage, type Payload } from "./messages";

function chat(value: unknown): ChatMessage[] {
  const payload = parsePayload(JSON.stringify(value));
  if (payload.kind !== "chat") throw new Error(`read as ${payload.kind}`);
  return payload.messages;
}
const kind = (value: unknown): Payload["kind"] => parsePayload(JSON.stringify(value)).kind;

describe("what is not a conversation", () => {
  it("is empty, text or JSON", () => {
    expect(parsePayload("")).toEqual({ kind: "empty" });
    expect(parsePayload("  ")).toEqual({ kind: "empty" });
    expect(parsePayload("hello")).toEqual({ kind: "text", text: "hello" });
    expect(parsePayload('"quoted"')).toEqual({ kind: "text", text: "quoted" });
    expect(parsePayload("{not json")).toEqual({ kind: "text", text: "{not json" });
    expect(parsePayload("42")).toEqual({ kind: "text", text: "42" });
    expect(kind({ question: "why" })).toBe("json");
    expect(kind([])).toBe("json");
    expect(kind([1, 2])).toBe("json");
    expect(kind({ input: [1, 2] })).toBe("json");
  });

  it("is not guessed from a role or type alone", () => {
    expect(kind({ role: "admin", name: "Ada" })).toBe("json");
    expect(kind([{ type: "invoice", content: "x" }])).toBe("json");
  });

  it("is JSON as soon as one item is no message", () => {
    expect(kind([{ role: "user", content: "hi" }, { id: 1 }])).toBe("json");
  });
});

describe("OpenAI", () => {
  it("reads roles, tool calls and tool results", () => {
    const messages = chat([
      { role: "developer", content: "Be brief." },
      { role: "user", name: "ada", content: [{ type: "text", text: "Weather?" }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: '{"city":"Bern"}' } }],
      },
      { role: "tool", tool_call_id: "c1", content: '{"celsius":7}' },
    ]);
    expect(messages.map((message) => message.role)).toEqual(["system", "user", "assistant", "tool"]);
    expect(messages[1]).toMatchObject({ name: "ada", parts: [{ kind: "text", text: "Weather?" }] });
    expect(messages[2]?.parts).toEqual([{ kind: "tool-call", id: "c1", name: "weather", arguments: { city: "Bern" } }]);
    expect(messages[3]?.parts).toEqual([{ kind: "tool-result", id: "c1", name: null, result: { celsius: 7 } }]);
  });

  it("leaves arguments that are not JSON as they are", () => {
    const [message] = chat([{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: '{"cut' } }] }]);
    expect(message?.parts[0]).toMatchObject({ arguments: '{"cut' });
  });

  it("reads requests and responses and keeps what is beside the messages", () => {
    const request = parsePayload(JSON.stringify({ model: "gpt-4o", messages: [{ role: "user", content: "hi" }] }));
    expect(request).toMatchObject({ kind: "chat", rest: { model: "gpt-4o" } });
    const [reply] = chat({
      id: "x",
      choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content: "ho" } }],
    });
    expect(reply).toMatchObject({ role: "assistant", finishReason: "stop", parts: [{ kind: "text", text: "ho" }] });
  });

  it("reads the items of the responses API", () => {
    const messages = chat([
      { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
      { type: "reasoning", summary: [{ type: "summary_text", text: "hm" }] },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: "done" },
    ]);
    expect(messages.map((message) => message.parts[0]?.kind)).toEqual(["text", "thinking", "tool-call", "tool-result"]);
  });
});

describe("OpenTelemetry GenAI", () => {
  it("reads parts", () => {
    const [question, answer, result] = chat([
      { role: "user", parts: [{ type: "text", content: "hi" }, { type: "uri", modality: "image", uri: "https://x.test/a.png" }] },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", content: "hm" },
          { type: "tool_call", id: "1", name: "f", arguments: { a: 1 } },
        ],
        finish_reason: "tool_call",
      },
      { role: "tool", parts: [{ type: "tool_call_response", id: "1", response: "42" }] },
    ]);
    expect(question?.parts[1]).toEqual({ kind: "media", mediaType: "image/*", source: "https://x.test/a.png" });
    expect(answer?.parts.map((part) => part.kind)).toEqual(["thinking", "tool-call"]);
    expect(answer?.finishReason).toBe("tool_call");
    expect(result?.parts).toEqual([{ kind: "tool-result", id: "1", name: null, result: "42" }]);
  });

  it("keeps parts of unknown types in sight", () => {
    const [message] = chat([{ role: "user", parts: [{ type: "hologram", depth: 3 }] }]);
    expect(message?.parts).toEqual([{ kind: "data", value: { type: "hologram", depth: 3 } }]);
  });
});

describe("others", () => {
  it("reads Anthropic blocks with the system prompt beside them", () => {
    const messages = chat({
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        { role: "assistant", content: [{ type: "thinking", thinking: "hm" }, { type: "tool_use", id: "t", name: "f", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "ok" }] }] },
        { role: "user", content: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AA" } }] },
      ],
    });
    expect(messages[0]).toMatchObject({ role: "system", parts: [{ text: "Be brief." }] });
    expect(messages[1]?.parts.map((part) => part.kind)).toEqual(["thinking", "tool-call"]);
    expect(messages[2]?.parts).toEqual([{ kind: "tool-result", id: "t", name: null, result: "ok" }]);
    expect(messages[3]?.parts).toEqual([{ kind: "media", mediaType: "image/png", source: "data:image/png;base64,AA" }]);
  });

  it("reads LangChain types in batches", () => {
    const messages = chat([[{ type: "human", content: "hi" }, { type: "ai", content: "ho" }]]);
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant"]);
  });

  it("reads Gemini contents", () => {
    const messages = chat({
      contents: [
        { role: "user", parts: [{ text: "hi" }] },
        { role: "model", parts: [{ functionCall: { name: "f", args: { a: 1 } } }] },
      ],
    });
    expect(messages[1]).toMatchObject({ role: "assistant", parts: [{ kind: "tool-call", arguments: { a: 1 } }] });
  });

  it("reads Vercel parts", () => {
    const [call, result] = chat([
      { role: "assistant", content: [{ type: "tool-call", toolCallId: "1", toolName: "f", input: { a: 1 } }] },
      { role: "tool", content: [{ type: "tool-result", toolCallId: "1", toolName: "f", output: { type: "json", value: 2 } }] },
    ]);
    expect(call?.parts[0]).toMatchObject({ kind: "tool-call", id: "1", name: "f", arguments: { a: 1 } });
    expect(result?.parts[0]).toMatchObject({ kind: "tool-result", id: "1", name: "f" });
  });

  it("reads a single message", () => {
    expect(chat({ role: "assistant", content: "ho" })).toHaveLength(1);
  });
});

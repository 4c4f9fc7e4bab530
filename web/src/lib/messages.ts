/**
 * Reads the input or output of a span as a conversation where it is one. The formats are those that SDKs
 * send: OpenAI chat and responses, OpenTelemetry GenAI parts, Anthropic blocks, Vercel AI parts, LangChain
 * types and Gemini contents. Whatever does not fit stays JSON or text.
 */

export type Role = "system" | "user" | "assistant" | "tool" | "other";

export type Part =
  | { kind: "text"; text: string }
  | { kind: "thinking"; text: string }
  | { kind: "tool-call"; id: string | null; name: string; arguments: unknown }
  | { kind: "tool-result"; id: string | null; name: string | null; result: unknown }
  /** `source` is a data: URL, or an address that is shown and not loaded. */
  | { kind: "media"; mediaType: string; source: string }
  | { kind: "data"; value: unknown };

export interface ChatMessage {
  role: Role;
  /** The role as it was sent. */
  label: string;
  name: string | null;
  parts: Part[];
  finishReason: string | null;
}

export type Payload =
  | { kind: "empty" }
  | { kind: "text"; text: string }
  | { kind: "json"; value: unknown }
  /** `rest` is what came beside the messages, such as the model and the tools. */
  | { kind: "chat"; messages: ChatMessage[]; rest: Record<string, unknown> | null; value: unknown };

type Record_ = Record<string, unknown>;

function isRecord(value: unknown): value is Record_ {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function str(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Reads the text of a payload. */
export function parsePayload(text: string): Payload {
  if (text.trim() === "") return { kind: "empty" };
  const first = text.trimStart()[0];
  if (first !== "{" && first !== "[" && first !== '"') return { kind: "text", text };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "text", text };
  }
  if (typeof value === "string") return { kind: "text", text: value };
  const chat = findChat(value);
  return chat === null ? { kind: "json", value } : { kind: "chat", ...chat, value };
}

interface Chat {
  messages: ChatMessage[];
  rest: Record_ | null;
}

/** Finds the conversation in a value, or null when it is not one. */
function findChat(value: unknown): Chat | null {
  if (Array.isArray(value)) {
    // LangChain batches: [[message, …]].
    const list: unknown[] = value.length === 1 && Array.isArray(value[0]) ? value[0] : value;
    const messages = readList(list);
    return messages === null ? null : { messages, rest: null };
  }
  if (!isRecord(value)) return null;

  if (Array.isArray(value.choices)) {
    const list = value.choices.map((choice: unknown) =>
      isRecord(choice) && isRecord(choice.message)
        ? { ...choice.message, finish_reason: choice.finish_reason }
        : choice,
    );
    const messages = readList(list);
    return messages === null ? null : { messages, rest: without(value, ["choices"]) };
  }
  for (const key of ["messages", "contents", "input", "output"]) {
    const candidate = value[key];
    if (!Array.isArray(candidate)) continue;
    const messages = findChat(candidate)?.messages;
    if (messages === undefined) continue;
    const system = value.system ?? value.instructions ?? value.systemInstruction;
    const head = system === undefined ? null : readSystem(system);
    const rest = without(value, head === null ? [key] : [key, "system", "instructions", "systemInstruction"]);
    return { messages: head === null ? messages : [head, ...messages], rest };
  }
  const single = readMessage(value);
  return single === null ? null : { messages: [single], rest: null };
}

function without(value: Record_, keys: string[]): Record_ | null {
  const rest = Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
  return Object.keys(rest).length === 0 ? null : rest;
}

function readSystem(system: unknown): ChatMessage | null {
  const content = isRecord(system) && Array.isArray(system.parts) ? system.parts : system;
  const parts = readContent(content);
  return parts.length === 0 ? null : { role: "system", label: "system", name: null, parts, finishReason: null };
}

/** All of a list must be messages: one stranger makes it JSON, so that nothing is hidden. */
function readList(list: unknown[]): ChatMessage[] | null {
  if (list.length === 0) return null;
  const messages: ChatMessage[] = [];
  for (const item of list) {
    const message = isRecord(item) ? readMessage(item) : null;
    if (message === null) return null;
    messages.push(message);
  }
  return messages;
}

const ROLES: Record<string, Role> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  ai: "assistant",
  model: "assistant",
  tool: "tool",
  function: "tool",
};

function readMessage(item: Record_): ChatMessage | null {
  const standalone = readStandalone(item);
  if (standalone !== null) return standalone;

  const label = str(item.role) ?? (item.content !== undefined ? str(item.type) : null);
  if (label === null) return null;
  const role = ROLES[label.toLowerCase()] ?? (item.role === undefined ? null : "other");
  if (role === null) return null;
  if (!("content" in item) && !("parts" in item) && !("tool_calls" in item) && !("refusal" in item)) return null;

  const parts: Part[] = [];
  const thinking = str(item.reasoning_content) ?? str(item.reasoning) ?? str(item.thinking);
  if (thinking !== null && thinking !== "") parts.push({ kind: "thinking", text: thinking });
  const content = Array.isArray(item.parts) ? item.parts : item.content;
  if (role === "tool" && !Array.isArray(item.parts) && !hasToolBlocks(content)) {
    parts.push({
      kind: "tool-result",
      id: str(item.tool_call_id),
      name: str(item.name),
      result: decode(textOfBlocks(content) ?? content),
    });
  } else parts.push(...readContent(content));
  const refusal = str(item.refusal);
  if (refusal !== null && refusal !== "") parts.push({ kind: "text", text: refusal });
  if (Array.isArray(item.tool_calls)) for (const call of item.tool_calls) parts.push(readToolCall(call));
  if (isRecord(item.function_call)) parts.push(readToolCall(item.function_call));

  return {
    role,
    label,
    name: str(item.name),
    parts,
    finishReason: str(item.finish_reason) ?? str(item.stop_reason) ?? str(item.finishReason),
  };
}

/** Items of the responses API that are not messages but stand among them. */
function readStandalone(item: Record_): ChatMessage | null {
  const base = { name: null, finishReason: null };
  switch (item.type) {
    case "function_call":
      return { ...base, role: "assistant", label: "assistant", parts: [readToolCall(item)] };
    case "function_call_output":
      return {
        ...base,
        role: "tool",
        label: "tool",
        parts: [{ kind: "tool-result", id: str(item.call_id), name: null, result: decode(item.output) }],
      };
    case "reasoning":
      if (!Array.isArray(item.summary)) return null;
      return {
        ...base,
        role: "assistant",
        label: "assistant",
        parts: [{ kind: "thinking", text: textOfBlocks(item.summary) ?? "" }],
      };
    default:
      return null;
  }
}

function readToolCall(call: unknown): Part {
  if (!isRecord(call)) return { kind: "data", value: call };
  const inner = isRecord(call.function) ? call.function : call;
  const name = str(inner.name) ?? str(inner.toolName) ?? str(inner.tool_name);
  if (name === null) return { kind: "data", value: call };
  return {
    kind: "tool-call",
    id: str(call.id) ?? str(call.call_id) ?? str(call.toolCallId),
    name,
    arguments: decode(inner.arguments ?? inner.args ?? inner.input),
  };
}

function hasToolBlocks(content: unknown): boolean {
  return (
    Array.isArray(content) &&
    content.some((block) => isRecord(block) && typeof block.type === "string" && block.type.startsWith("tool"))
  );
}

/** The text of a list made of text blocks only; null for anything else. */
function textOfBlocks(content: unknown): string | null {
  if (!Array.isArray(content)) return null;
  const texts: string[] = [];
  for (const block of content) {
    const text = typeof block === "string" ? block : isRecord(block) ? str(block.text) : null;
    if (text === null) return null;
    texts.push(text);
  }
  return texts.join("\n");
}

/** JSON inside a string, as tool arguments and results usually are, becomes the value it stands for. */
function decode(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const first = value.trimStart()[0];
  if (first !== "{" && first !== "[") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function readContent(content: unknown): Part[] {
  if (content === null || content === undefined || content === "") return [];
  if (typeof content === "string") return [{ kind: "text", text: content }];
  if (!Array.isArray(content)) return [{ kind: "data", value: content }];
  return content.map(readPart);
}

function readPart(block: unknown): Part {
  if (typeof block === "string") return { kind: "text", text: block };
  if (!isRecord(block)) return { kind: "data", value: block };
  const text = str(block.text) ?? str(block.content);
  switch (block.type) {
    case "text":
    case "input_text":
    case "output_text":
      return text === null ? { kind: "data", value: block } : { kind: "text", text };
    case "refusal":
      return { kind: "text", text: str(block.refusal) ?? "" };
    case "thinking":
    case "reasoning":
      return { kind: "thinking", text: str(block.thinking) ?? text ?? "" };
    case "tool_use":
    case "tool_call":
    case "tool-call":
    case "function_call":
      return readToolCall(block);
    case "tool_result":
    case "tool_call_response":
    case "tool-result":
      return {
        kind: "tool-result",
        id: str(block.tool_use_id) ?? str(block.id) ?? str(block.toolCallId),
        name: str(block.name) ?? str(block.toolName),
        result: toolResult(block),
      };
    case "image_url":
    case "input_image": {
      const url = isRecord(block.image_url) ? str(block.image_url.url) : str(block.image_url);
      return url === null ? { kind: "data", value: block } : { kind: "media", mediaType: "image/*", source: url };
    }
    case "image":
    case "document":
      return readSource(block);
    case "uri":
    case "blob":
      return readBlob(block);
    case undefined:
      return readGemini(block, text);
    default:
      return { kind: "data", value: block };
  }
}

function toolResult(block: Record_): unknown {
  const result = block.response ?? block.result ?? block.output ?? block.content;
  return decode(textOfBlocks(result) ?? result);
}

/** Anthropic: source {type: base64 | url, media_type, data, url}; Vercel: image as a string. */
function readSource(block: Record_): Part {
  const source = block.source;
  if (isRecord(source)) {
    const mediaType = str(source.media_type) ?? "image/*";
    const data = str(source.data);
    if (data !== null) return { kind: "media", mediaType, source: `data:${mediaType};base64,${data}` };
    const url = str(source.url);
    if (url !== null) return { kind: "media", mediaType, source: url };
  }
  const image = str(block.image);
  return image === null ? { kind: "data", value: block } : { kind: "media", mediaType: "image/*", source: image };
}

/** OpenTelemetry GenAI: {type: uri, uri} and {type: blob, mime_type, content (base64)}. */
function readBlob(block: Record_): Part {
  const mediaType = str(block.mime_type) ?? `${str(block.modality) ?? "application"}/*`;
  const uri = str(block.uri);
  if (uri !== null) return { kind: "media", mediaType, source: uri };
  const content = str(block.content);
  return content === null
    ? { kind: "data", value: block }
    : { kind: "media", mediaType, source: `data:${mediaType};base64,${content}` };
}

/** Gemini parts have no type: {text}, {functionCall}, {functionResponse}, {inlineData}. */
function readGemini(block: Record_, text: string | null): Part {
  if (isRecord(block.functionCall)) return readToolCall(block.functionCall);
  if (isRecord(block.functionResponse)) {
    const { name, response, id } = block.functionResponse;
    return { kind: "tool-result", id: str(id), name: str(name), result: response };
  }
  if (isRecord(block.inlineData)) {
    const mediaType = str(block.inlineData.mimeType) ?? "image/*";
    return { kind: "media", mediaType, source: `data:${mediaType};base64,${str(block.inlineData.data) ?? ""}` };
  }
  if (text === null) return { kind: "data", value: block };
  return block.thought === true ? { kind: "thinking", text } : { kind: "text", text };
}

/** How many characters of text a message holds, to decide whether it is folded. */
export function messageLength(message: ChatMessage): number {
  let length = 0;
  for (const part of message.parts) if (part.kind === "text" || part.kind === "thinking") length += part.text.length;
  return length;
}

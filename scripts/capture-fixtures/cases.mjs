// The JavaScript SDKs, one case each: `node cases.mjs SDK CASE`. PROVIDER is the address of the mock provider and receiver.
import { createRequire } from "node:module";

const require = createRequire(process.env.MODULES);
const provider = process.env.PROVIDER;
const [sdk, kind] = process.argv.slice(2);
const { NodeTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-http");
const traced = new NodeTracerProvider({
  spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter({ url: `${provider}/v1/traces` }))],
});
traced.register();

const system = "Be brief.";
const prompt = "What is the capital of Switzerland?";

async function vercel() {
  const { createOpenAI } = require("@ai-sdk/openai");
  const { createAnthropic } = require("@ai-sdk/anthropic");
  const { generateText, streamText, generateObject, embed, embedMany, tool, stepCountIs } = require("ai");
  const { z } = require("zod");
  const openai = createOpenAI({ baseURL: `${provider}/openai/v1`, apiKey: "sk-test" });
  const anthropic = createAnthropic({ baseURL: `${provider}/anthropic/v1`, apiKey: "test" });
  const experimental_telemetry = {
    isEnabled: true,
    functionId: "capital",
    metadata: { sessionId: "s-1", userId: "u-1", tags: ["capture"] },
  };
  const asked = { model: openai.chat("gpt-4o-mini"), system, prompt, maxRetries: 0, experimental_telemetry };
  const getWeather = tool({
    description: "The weather of a city.",
    inputSchema: z.object({ city: z.string() }),
    execute: async () => "rain",
  });
  const cases = {
    chat: () => generateText({ ...asked, temperature: 0.5 }),
    stream: async () => {
      for await (const _ of streamText(asked).textStream);
    },
    tools: () =>
      generateText({ ...asked, prompt: "What is the weather in Bern?", tools: { get_weather: getWeather }, stopWhen: stepCountIs(3) }),
    object: () => generateObject({ ...asked, schema: z.object({ city: z.string() }) }),
    embed: () => embed({ model: openai.embedding("text-embedding-3-small"), value: "Bern", experimental_telemetry }),
    "embed-many": () =>
      embedMany({ model: openai.embedding("text-embedding-3-small"), values: ["Bern", "Basel"], experimental_telemetry }),
    anthropic: () => generateText({ ...asked, model: anthropic("claude-sonnet-4-5-20250929") }),
    limited: () => generateText({ ...asked, model: openai.chat("gpt-4o-limited") }),
  };
  await cases[kind]();
}

async function openinference() {
  const { OpenAIInstrumentation } = require("@arizeai/openinference-instrumentation-openai");
  const instrumentation = new OpenAIInstrumentation({ tracerProvider: traced });
  const OpenAI = require("openai").OpenAI ?? require("openai");
  instrumentation.manuallyInstrument(OpenAI);
  const client = new OpenAI({ baseURL: `${provider}/openai/v1`, apiKey: "sk-test", maxRetries: 0 });
  const messages = [
    { role: "system", content: system },
    { role: "user", content: prompt },
  ];
  const model = "gpt-4o-mini";
  const parameters = { type: "object", properties: { city: { type: "string" } } };
  const cases = {
    chat: () => client.chat.completions.create({ model, messages, temperature: 0.5 }),
    stream: async () => {
      const stream = await client.chat.completions.create({ model, messages, stream: true, stream_options: { include_usage: true } });
      for await (const _ of stream);
    },
    tools: () =>
      client.chat.completions.create({
        model,
        messages: [{ role: "user", content: "What is the weather in Bern?" }],
        tools: [{ type: "function", function: { name: "get_weather", parameters } }],
      }),
    embeddings: () => client.embeddings.create({ model: "text-embedding-3-small", input: ["Bern", "Basel"] }),
  };
  await cases[kind]();
}

await { vercel, "openinference-js": openinference }[sdk]().catch((error) => console.log(error.name));
await new Promise((resolve) => setTimeout(resolve, 300));
await traced.forceFlush();
await traced.shutdown();

import { describe, expect, it } from "vitest";
import type { PriceVersion } from "@/api/prices";
import { copyVersion, emptyVersion, parseRate, rateKinds, readPrice, searchFor, versionInput, versionOn } from "./price-form";
import { difference } from "./money";
import { formatModel, parseModels, parsePriceSearch } from "./price-search";
import { formatShare, splitUsage, usageLabel } from "./usage";

const VERSION: PriceVersion = {
  from: "2026-01-01",
  rates: { input: "2.5", output: "10" },
  above: [{ input_tokens: 200_000, rates: { input: "5" } }],
  batch: { rates: { input: "1.25" }, above: [] },
  flex: null,
  priority: null,
};

describe("amounts that are typed", () => {
  it("become decimal text", () => {
    expect(["2.5", " $2,50 ", ".075", "0", "003", "10.", "999999"].map(parseRate)).toEqual(["2.5", "2.5", "0.075", "0", "3", "10", "999999"]);
  });

  it("are refused where they are none", () => {
    expect(["", ".", "-1", "1e3", "1000000", "1.2.3", "free", "1,234.5"].map(parseRate)).toEqual(Array(8).fill(null));
  });
});

describe("a price in fields", () => {
  it("is sent back as it came", () => {
    const { body, faults } = readPrice({ provider: " openai ", model: "gpt-4.1", versions: [versionInput(VERSION)] });
    expect(faults).toEqual({});
    expect(body).toEqual({ provider: "openai", model: "gpt-4.1", prices: [VERSION] });
  });

  it("names each fault by the path of its field", () => {
    const wrong = { ...versionInput(VERSION), rates: { input: "cheap" }, above: [{ tokens: "many", rates: {} }] };
    const { faults } = readPrice({ provider: "", model: " ", versions: [wrong, copyVersion(wrong, "2026-01-01"), emptyVersion()] });
    expect(Object.keys(faults).sort()).toEqual([
      "model",
      "prices[0].above[0].input_tokens",
      "prices[0].above[0].rates",
      "prices[0].rates.input",
      "prices[1].above[0].input_tokens",
      "prices[1].above[0].rates",
      "prices[1].from",
      "prices[1].rates.input",
      "prices[2].rates",
    ]);
  });

  it("leaves out a service tier that was opened and left empty", () => {
    const version = { ...versionInput(VERSION), tiers: { batch: { rates: { input: " " }, above: [] } } };
    expect(readPrice({ provider: "", model: "m", versions: [version] }).body.prices[0]?.batch).toBeNull();
  });

  it("takes separators in a number of tokens", () => {
    const version = { ...versionInput(VERSION), above: [{ tokens: "200 000", rates: { input: "5" } }] };
    expect(readPrice({ provider: "", model: "m", versions: [version] }).body.prices[0]?.above[0]?.input_tokens).toBe(200_000);
  });
});

describe("versions of a price", () => {
  const versions = [{ from: "2026-06-01" }, { from: null }, { from: "2026-01-01" }];

  it("hold from their day on", () => {
    expect(["2025-12-31", "2026-01-01", "2026-05-31", "2027-01-01"].map((day) => versionOn(versions, day)?.from)).toEqual([
      null,
      "2026-01-01",
      "2026-01-01",
      "2026-06-01",
    ]);
    expect(versionOn([{ from: "2026-01-01" }], "2025-12-31")).toBeUndefined();
  });

  it("list kinds in one order", () => {
    expect(rateKinds({ output: "1", zebra: "1", input: "1", input_cache_read: "1" })).toEqual(["input", "input_cache_read", "output", "zebra"]);
  });
});

describe("usage", () => {
  it("is split into what was read and what was written", () => {
    const split = splitUsage({ total: 1105, output_reasoning: 30, input_cache_read: 900, output: 70, input: 100, input_text_v2: 5 });
    expect(split.input).toEqual([
      { kind: "input", tokens: 100 },
      { kind: "input_cache_read", tokens: 900 },
      { kind: "input_text_v2", tokens: 5 },
    ]);
    expect(split.output.map(({ kind }) => kind)).toEqual(["output", "output_reasoning"]);
    expect([split.inputTotal, split.outputTotal]).toEqual([1005, 100]);
  });

  it("has a name for people, and keeps the name of what is not known", () => {
    expect(usageLabel("input_cache_read")).not.toBe("input_cache_read");
    expect(usageLabel("input_text_v2")).toBe("input_text_v2");
  });

  it("shows shares that never hide what is there", () => {
    expect([formatShare(0, 10), formatShare(1, 1000), formatShare(1, 3), formatShare(9999, 10_000), formatShare(3, 3), formatShare(1, 0)]).toEqual([
      "0 %",
      "<1 %",
      "33 %",
      ">99 %",
      "100 %",
      "0 %",
    ]);
  });
});

describe("what to look for when a model has no price", () => {
  it("is its family", () => {
    expect(["gpt-4.1-mini-2025-04-14", "openrouter/anthropic/claude-sonnet-9:beta", "mistral"].map(searchFor)).toEqual([
      "gpt-4.1",
      "claude-sonnet",
      "mistral",
    ]);
  });
});

describe("amounts", () => {
  it("are subtracted without rounding", () => {
    expect([difference("0.1", "0.3"), difference("1", "0.999999999999"), difference("5", "5.0"), difference("0", "12")]).toEqual([
      "0.2",
      "-0.000000000001",
      "0",
      "12",
    ]);
  });
});

describe("models to price anew", () => {
  it("are read from lines, with and without a provider", () => {
    expect(parseModels("openai/gpt-4.1\n\n mistral , /meta-llama/Llama-3\nopenai/gpt-4.1\nx/")).toEqual([
      { provider: "openai", model: "gpt-4.1" },
      { model: "mistral" },
      { model: "meta-llama/Llama-3" },
      { model: "x/" },
    ]);
  });

  it("are written so that they are read again", () => {
    for (const model of [{ provider: "openai", model: "a/b" }, { model: "m" }, { model: "a/b" }]) {
      expect(parseModels(formatModel(model))).toEqual([model]);
    }
  });
});

describe("the address of the prices", () => {
  it("keeps what it knows", () => {
    expect(parsePriceSearch({ tab: "unpriced", set: 4, provider: " ", evil: "x" })).toEqual({ tab: "unpriced", set: "4" });
    expect(parsePriceSearch({ tab: "own" })).toEqual({});
  });
});

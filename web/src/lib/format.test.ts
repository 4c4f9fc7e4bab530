import { describe, expect, it } from "vitest";
import {
  costTip,
  formatBytes,
  formatCost,
  formatCostExact,
  formatDuration,
  formatDurationExact,
  formatTokens,
  formatTokensShort,
} from "./format";
import { formatExact, formatRelative, parseTime } from "./time";

describe("durations", () => {
  it.each([
    [null, "—"],
    [0, "0 ns"],
    [850, "850 ns"],
    [12_500, "12.5 µs"],
    [999_400, "999 µs"],
    [999_600, "1 ms"],
    [320e6, "320 ms"],
    [61.34e6, "61.3 ms"],
    [999.6e6, "1.00 s"],
    [1.24e9, "1.24 s"],
    [59.996e9, "1 min 00 s"],
    [125e9, "2 min 05 s"],
    [3720e9, "1 h 02 min"],
    [-5e6, "−5 ms"],
  ])("writes %s ns as %s", (nanoseconds, text) => {
    expect(formatDuration(nanoseconds)).toBe(text);
  });

  it("gives the exact milliseconds", () => {
    expect(formatDurationExact(1_234_567_890)).toBe("1,234.56789 ms");
  });
});

describe("costs", () => {
  it.each([
    [null, "—"],
    ["0", "$0"],
    ["0.0000", "$0"],
    ["0.00001", "<$0.0001"],
    ["0.0123", "$0.0123"],
    ["0.99996", "$1.00"],
    ["1.239", "$1.24"],
    ["1234.5", "$1,234.50"],
    ["nonsense", "—"],
  ])("writes %s as %s", (decimal, text) => {
    expect(formatCost(decimal)).toBe(text);
  });

  it("keeps every digit on hover, without going through a float", () => {
    expect(formatCostExact("0.012345678901234567")).toBe("$0.012345678901234567");
    expect(formatCostExact("0.0123000")).toBe("$0.0123");
    expect(formatCostExact("12")).toBe("$12");
    expect(formatCostExact("100")).toBe("$100");
  });

  it("says why there is no cost", () => {
    expect(costTip({ total_cost: null, total_tokens: 12 })).toMatch(/price unknown/i);
    expect(costTip({ total_cost: null, total_tokens: 0 })).toMatch(/nothing to price/i);
    expect(costTip({ total_cost: "0.0123000", total_tokens: 12 })).toBe("$0.0123");
  });
});

describe("counts", () => {
  it("writes tokens in and out", () => {
    expect(formatTokens(1234, 567)).toBe("1,234 → 567");
    expect(formatTokens(0, 0)).toBe("—");
    expect(formatTokens(0, 5)).toBe("0 → 5");
  });

  it.each([
    [980, "980"],
    [1234, "1.2k"],
    [9960, "10k"],
    [34_400, "34k"],
    [999_600, "1.0M"],
    [1_250_000, "1.3M"],
  ])("shortens %s to %s", (value, text) => {
    expect(formatTokensShort(value)).toBe(text);
  });

  it("writes bytes", () => {
    expect(formatBytes(512)).toBe("512 B");
    expect(formatBytes(1600)).toBe("1.6 kB");
    expect(formatBytes(2_400_000)).toBe("2.4 MB");
  });
});

describe("times", () => {
  it("keeps what is finer than a millisecond", () => {
    const base = Date.parse("2026-11-22T10:00:00Z");
    expect(parseTime("2026-11-22T10:00:00.000250Z") - base).toBeCloseTo(0.25, 3);
    expect(parseTime("2026-11-22T10:00:00.123456789Z") - base).toBeCloseTo(123.4568, 3);
    expect(parseTime("2026-11-22T11:00:00.5+01:00") - base).toBe(500);
    expect(parseTime("2026-11-22T10:00:00Z")).toBe(base);
    expect(parseTime("soon")).toBeNaN();
  });

  it("writes how long ago", () => {
    const at = "2026-11-22T10:00:00Z";
    const base = Date.parse(at);
    expect(formatRelative(at, base + 500)).toBe("just now");
    expect(formatRelative(at, base - 1500)).toBe("just now");
    expect(formatRelative(at, base + 12_000)).toBe("12 s ago");
    expect(formatRelative(at, base + 61_000)).toBe("1 min ago");
    expect(formatRelative(at, base + 3 * 3_600_000)).toBe("3 h ago");
    expect(formatRelative(at, base + 2 * 86_400_000)).toBe("2 d ago");
    expect(formatRelative(at, base + 9 * 86_400_000)).toMatch(/Nov 22/);
  });

  it("gives the exact time with its zone, and passes on what is no time", () => {
    expect(formatExact("2026-11-22T10:00:00.123Z")).toMatch(/10:00:00\.123.*UTC/);
    expect(formatExact("soon")).toBe("soon");
  });
});

import { describe, expect, it } from "vitest";
import type { Me } from "@/api/contract";
import { t } from "@/i18n";
import { decodeJson, matchAttributes, typeName } from "./attributes";
import { splitFences } from "./fences";
import { firstProject } from "./projects";
import { barPosition, tickLabel, ticks } from "./timeline";

describe("timeline", () => {
  it("marks the axis at round times", () => {
    expect(ticks(14_800, 3)).toEqual([0, 5000, 10_000]);
    expect(ticks(1, 4)).toEqual([0, 0.5, 1]);
    expect(ticks(400_000, 3)).toEqual([0, 300_000]);
    expect(ticks(0, 4)).toEqual([]);
    expect(ticks(NaN, 4)).toEqual([]);
  });

  it("labels marks shortly", () => {
    expect([0, 500, 5000, 2500, 90_000, 120_000, 7_200_000].map(tickLabel)).toEqual(["0", "500 ms", "5 s", "2.5 s", "1 min 30 s", "2 min", "2 h"]);
  });

  it("keeps bars on the axis", () => {
    const axis = { start: 100, end: 200 };
    expect(barPosition(125, 150, axis)).toEqual({ left: 25, width: 25 });
    expect(barPosition(150, null, axis)).toEqual({ left: 50, width: 50 });
    expect(barPosition(100, 100, { start: 100, end: 100 })).toEqual({ left: 0, width: 100 });
    expect(barPosition(50, 40, axis)).toEqual({ left: 0, width: 0 });
  });
});

describe("attributes", () => {
  it("finds every word in key or value", () => {
    const values = { "b.model": "gpt-4o", "a.port": 443, "c.map": { deep: "Needle" } };
    expect(matchAttributes(values, "").map(([key]) => key)).toEqual(["a.port", "b.model", "c.map"]);
    expect(matchAttributes(values, "MODEL gpt").map(([key]) => key)).toEqual(["b.model"]);
    expect(matchAttributes(values, "needle").map(([key]) => key)).toEqual(["c.map"]);
    expect(matchAttributes(values, "443").map(([key]) => key)).toEqual(["a.port"]);
  });

  it("names types and opens JSON in strings", () => {
    expect(["x", 1, 1.5, true, [1, 2], {}, null].map(typeName)).toEqual(["string", "int", "double", "bool", "array[2]", "map", "null"]);
    expect(decodeJson('{"a":1}')).toEqual({ a: 1 });
    expect(decodeJson("{a}")).toBe("{a}");
    expect(decodeJson("plain")).toBe("plain");
  });
});

describe("code fences", () => {
  it("splits text and code", () => {
    expect(splitFences("a\n```js\nb\n```\nc")).toEqual([
      { kind: "text", text: "a" },
      { kind: "code", text: "b" },
      { kind: "text", text: "c" },
    ]);
  });

  it("takes an open fence to the end", () => {
    expect(splitFences("```\ncut")).toEqual([{ kind: "code", text: "cut" }]);
  });
});

describe("projects", () => {
  const project = (id: string) => ({ id, name: id });
  const me = {
    default_organization_id: "o2",
    organizations: [
      { id: "o1", projects: [project("p1")] },
      { id: "o2", projects: [project("p2"), project("p3")] },
    ],
  } as Me;

  it("opens the last one used, else one of the default organisation, else any", () => {
    expect(firstProject(me, "p3")?.id).toBe("p3");
    expect(firstProject(me, "gone")?.id).toBe("p2");
    expect(firstProject({ ...me, default_organization_id: null }, "")?.id).toBe("p1");
    expect(firstProject({ ...me, organizations: [] }, "")).toBeNull();
  });
});

describe("catalogue", () => {
  it("fills in parameters and chooses plurals", () => {
    expect(t("traces.new", { count: 1 })).toBe("1 new trace");
    expect(t("traces.new", { count: 1234 })).toBe("1,234 new traces");
    expect(t("chat.finish", {})).toBe("finish: {reason}");
  });
});

import { describe, expect, it } from "vitest";
import { address } from "@/api/address";
import type { Me } from "@/api/contract";
import { ApiError, errorFromResponse } from "@/api/error";
import type { RoleView, SettingView } from "@/api/identity";
import { auditRange, parseAuditSearch } from "./audit-search";
import { changes } from "./changes";
import { formatWait, secondsLeft } from "./countdown";
import { countByStatus, parseJobSearch } from "./job-search";
import { toggleScope } from "./key-scopes";
import { withoutStyles } from "./mail-html";
import { groupSecret, isWholeCode, readCode, readRecoveryCode, recoveryFile } from "./otp";
import { allows, groupPermissions, mayTouch, rolesUpTo } from "./permissions";
import { currentPlace, searchPlaces } from "./projects";
import { groupSettings, parseInput, sameValue, settingTitle, toInput } from "./setting-value";
import { readUserAgent } from "./user-agent";

describe("readUserAgent", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox 128", "Linux", false],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge 131", "Windows", false],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", "Chrome 131", "macOS", false],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "Safari 17", "iPhone", true],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36", "Chrome 131", "Android", true],
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36", "Chromium 131", "Linux", false],
    ["curl/8.5.0", "curl 8.5", null, false],
    ["python-requests/2.32.3", "Python 2.32", null, false],
  ])("%s", (text, program, system, mobile) => {
    expect(readUserAgent(text)).toEqual({ program, system, mobile });
  });

  it("knows nothing of what it does not know", () => {
    expect(readUserAgent(null)).toEqual({ program: null, system: null, mobile: false });
    expect(readUserAgent("something else")).toEqual({ program: null, system: null, mobile: false });
  });
});

describe("permissions", () => {
  const table: RoleView[] = [
    { name: "viewer", description: "", built_in: true, scope_type: "organization", permissions: ["members:read"] },
  ];

  it("follow the table, and the server where there is none", () => {
    expect(allows(table, "viewer", "members:read")).toBe(true);
    expect(allows(table, "viewer", "members:invite")).toBe(false);
    expect(allows(table, "unheard-of", "members:read")).toBe(false);
    expect(allows(undefined, "viewer", "members:invite")).toBe(true);
  });

  it("give no role above one's own, and leave owners to owners", () => {
    expect(rolesUpTo("owner")).toEqual(["owner", "admin", "developer", "viewer", "none"]);
    expect(rolesUpTo("admin")).toEqual(["admin", "developer", "viewer", "none"]);
    expect(rolesUpTo("custom")).toEqual([]);
    expect(mayTouch("admin", "owner")).toBe(false);
    expect(mayTouch("owner", "owner")).toBe(true);
    expect(mayTouch("admin", "admin")).toBe(true);
  });

  it("are grouped by what they are about", () => {
    expect(groupPermissions(["a:read", "b:read", "a:write"])).toEqual([
      { resource: "a", names: ["a:read", "a:write"] },
      { resource: "b", names: ["b:read"] },
    ]);
  });
});

describe("codes", () => {
  it("are read as typed and as pasted", () => {
    expect(readCode("123 456")).toBe("123456");
    expect(readCode("12a34567 8")).toBe("123456");
    expect(isWholeCode("123456")).toBe(true);
    expect(isWholeCode("12345")).toBe(false);
    expect(readRecoveryCode(" AB12C-DE34F\n")).toBe("ab12c-de34f");
  });

  it("are written for people", () => {
    expect(groupSecret("JBSWY3DPEHPK3PXPA")).toBe("JBSW Y3DP EHPK 3PXP A");
    expect(recoveryFile("Title", ["a", "b"])).toBe("Title\n\na\nb\n");
  });
});

describe("countdown", () => {
  it("counts whole seconds and stops at zero", () => {
    expect(secondsLeft(10_001, 10_000)).toBe(1);
    expect(secondsLeft(70_000, 10_000)).toBe(60);
    expect(secondsLeft(5_000, 10_000)).toBe(0);
  });

  it.each([
    [0, "0 s"],
    [59, "59 s"],
    [65, "1 min 05 s"],
    [3600, "1 h 00 min"],
    [3661, "1 h 02 min"],
  ])("writes %d as %s", (seconds, text) => {
    expect(formatWait(seconds)).toBe(text);
  });
});

describe("settings", () => {
  it("are read by their type", () => {
    expect(parseInput("bool", "true")).toEqual({ ok: true, value: true });
    expect(parseInput("integer", " 42 ")).toEqual({ ok: true, value: 42 });
    expect(parseInput("integer", "4.2")).toEqual({ ok: false, problem: "integer" });
    expect(parseInput("integer", "")).toEqual({ ok: false, problem: "integer" });
    expect(parseInput("integer", "99999999999999999999")).toEqual({ ok: false, problem: "integer" });
    expect(parseInput("string_list", "a.example, b.example\n\na.example")).toEqual({ ok: true, value: ["a.example", "b.example"] });
    expect(parseInput("choice", "open", ["open", "closed"])).toEqual({ ok: true, value: "open" });
    expect(parseInput("choice", "ajar", ["open", "closed"])).toEqual({ ok: false, problem: "choice" });
  });

  it("come back as they went", () => {
    for (const [type, value] of [["bool", false], ["integer", -3], ["string", "x"], ["string_list", ["a", "b"]]] as const) {
      expect(parseInput(type, toInput(typeof value === "object" ? Array.from(value) : value))).toEqual({ ok: true, value });
    }
    expect(sameValue(["a"], ["a"])).toBe(true);
    expect(sameValue(null, false)).toBe(false);
  });

  it("have titles and groups", () => {
    expect(settingTitle("sign_up.allowed_domains")).toBe("Allowed domains");
    const groups = groupSettings([{ key: "sign_up.mode" }, { key: "x.y" }, { key: "sign_up.domains" }] as SettingView[]);
    expect(groups.map(({ group, settings }) => [group, settings.length])).toEqual([
      ["Sign up", 2],
      ["X", 1],
    ]);
  });
});

describe("changes", () => {
  it("lists what differs, with its path", () => {
    expect(changes({ a: 1, b: { c: [1], d: 2 } }, { a: 1, b: { c: [1, 2], d: 2 }, e: true })).toEqual([
      { path: "b.c", before: [1], after: [1, 2] },
      { path: "e", before: undefined, after: true },
    ]);
    expect(changes(null, { name: "x" })).toEqual([{ path: "name", before: undefined, after: "x" }]);
    expect(changes("a", "b")).toEqual([{ path: "", before: "a", after: "b" }]);
    expect(changes(null, null)).toEqual([]);
  });
});

describe("places", () => {
  const project = (id: string, status = "active") => ({ id, name: `Thing ${id}`, status, role: "admin", slug: id, composite_slug: id, created_at: "" });
  const organization = (id: string, projects: ReturnType<typeof project>[]) => ({ id, name: `Org ${id}`, role: "owner", slug: id, composite_slug: id, created_at: "", projects });
  const me: Me = {
    id: "u", email: "", first_name: "", last_name: "", is_admin: false, email_verified: true, second_factor: false, created_at: "",
    default_organization_id: "b",
    organizations: [organization("a", [project("old", "archived"), project("1")]), organization("b", [project("2")]), organization("c", [])],
  };
  const at = (address: { projectId?: string; organizationId?: string }, last = { project: "", organization: "" }) => {
    const place = currentPlace(me, address, last);
    return [place.organization?.id ?? null, place.project?.id ?? null];
  };

  it("come from the address, then from what was used last, then from the default", () => {
    expect(at({ projectId: "1" })).toEqual(["a", "1"]);
    expect(at({ organizationId: "a" })).toEqual(["a", "1"]);
    expect(at({ organizationId: "a" }, { project: "old", organization: "b" })).toEqual(["a", "old"]);
    expect(at({}, { project: "1", organization: "a" })).toEqual(["a", "1"]);
    expect(at({}, { project: "", organization: "c" })).toEqual(["c", null]);
    expect(at({})).toEqual(["b", "2"]);
  });

  it("are found by every word", () => {
    const found = searchPlaces(me.organizations, "org 2").map((group) => [group.organization.id, group.projects.length]);
    expect(found).toEqual([["b", 1]]);
    expect(searchPlaces(me.organizations, "")).toHaveLength(3);
    expect(searchPlaces(me.organizations, "org c").map((group) => group.organization.id)).toEqual(["c"]);
  });
});

describe("errors", () => {
  it("tell fields, details and how long to wait", () => {
    const answer = (details: unknown, headers = {}) =>
      errorFromResponse(new Response(null, { status: 400, headers }), { error: { code: "X", message: "m", details }, meta: {} });
    expect(answer([{ field: "name", message: "too long" }, { field: "name", message: "second" }]).fieldErrors).toEqual({ name: "too long" });
    expect(answer({ challenge: "c" }).detail("challenge")).toBe("c");
    expect(answer({ challenge: "c" }).fieldErrors).toEqual({});
    expect(answer(null, { "Retry-After": "75" }).retryAfter).toBe(75);
    expect(answer(null, { "Retry-After": "Mon, 30 Nov 2026 21:00:00 GMT" }).retryAfter).toBeNull();
    expect(answer(null)).toBeInstanceOf(ApiError);
  });
});

describe("searches", () => {
  it("keep what they know and drop the rest", () => {
    expect(parseAuditSearch({ action: "member.removed", range: "7d", outcome: "", other: 1 })).toEqual({ action: "member.removed", range: "7d" });
    expect(parseAuditSearch({ range: "1y" })).toEqual({});
    expect(auditRange("24h", Date.parse("2026-01-02T00:00:00Z"))).toEqual({ start_time: "2026-01-01T00:00:00.000Z" });
    expect(auditRange(undefined, 0)).toEqual({});
    expect(parseJobSearch({ status: "dead", kind: "mail.send" })).toEqual({ status: "dead", kind: "mail.send" });
    expect(parseJobSearch({ status: "ok" })).toEqual({});
  });

  it("leave out of the address what is not set", () => {
    expect(address("/admin/users", { search: "", status: undefined, cursor: "a b" })).toBe("/api/v1/admin/users?cursor=a+b");
    expect(address("/projects")).toBe("/api/v1/projects");
  });
});

describe("small things of administration", () => {
  it("sums jobs, toggles scopes, takes styles out of mails", () => {
    expect(countByStatus([{ kind: "a", status: "done", count: 2 }, { kind: "b", status: "done", count: 3 }]).done).toBe(5);
    expect(toggleScope(["full"], "read")).toEqual(["read"]);
    expect(toggleScope(["read", "ingest"], "full")).toEqual(["full"]);
    expect(toggleScope(["read"], "read")).toEqual([]);
    expect(withoutStyles('<style>p{}</style><link rel="x"><p class="a" style="color:red">style="x"</p>')).toBe('<p class="a" data-mail-style="color:red">style="x"</p>');
  });
});

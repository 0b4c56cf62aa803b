import { describe, expect, test } from "vitest";
import { formatLocks, locksAsJson } from "../../../src/cli/locks-view.ts";
import type { LockReport } from "../../../src/daemon/inspect/survey-locks.ts";

const free: LockReport = {
  ...{ place: { host: "nas", path: "/run/locks/data" }, state: "free", owner: null, ownerIsDead: false, job: null },
  ...{ run: null, token: null, created: null, ageSeconds: null, silentSeconds: null, ttlSeconds: null },
  ...{ heartbeatSeconds: null, mtimeSeconds: null, writer: null, firstLine: null, detail: null, broken: [] },
  uses: [{ rsyncId: "laptop", job: "home", role: "takes" }],
};
const held: LockReport = {
  ...free,
  ...{ state: "held", owner: { rsyncId: "desk", host: "desk.lan", pid: 77, ours: false }, job: "mail", run: "r2" },
  ...{ token: "t".repeat(22), created: "2026-03-01T11:50:00.000Z", ageSeconds: 600, silentSeconds: 12 },
  ...{ ttlSeconds: 600, heartbeatSeconds: 30, mtimeSeconds: 1 },
  writer: { state: "alive", place: { host: "nas", path: "/run/locks/data.hold" } },
};
const show = (...reports: LockReport[]) => formatLocks(reports, { width: 80 });

describe("the table", () => {
  test("fits into 80 columns whatever the names are, and keeps the end of a long path", () => {
    const path = `/srv/${"very-long-name/".repeat(8)}the-lock`;
    const long = { ...held, place: { host: "nas", path }, owner: { ...held.owner!, rsyncId: "r".repeat(60) } };
    const [header, row, other] = show(long, free).split("\n");
    expect([header, row, other].every((line) => (line ?? "").length <= 80)).toBe(true);
    expect(row).toMatch(/^nas:.*….*the-lock +held +r+… +10m +12s +alive$/);
    expect(other).toMatch(/^nas:\/run\/locks\/data +free$/);
    expect(show(long)).toContain(`nas:${path}\n`);
  });

  test("says that there is nothing to show", () => {
    expect(show()).toBe("the jobs name no lock files\n");
  });
});

describe("what is known of a lock", () => {
  test("names owner, run, both clocks, the writer, and the jobs", () => {
    const text = show(held);
    expect(text).toContain("held by job mail of desk on desk.lan, process 77");
    expect(text).toMatch(/run r2, since 2026-03-01 [\d:]+ by its owner's clock, 10m ago/);
    expect(text).toContain("last sign of life 12s ago by the clock of nas; lease 10m");
    expect(text).toContain("a writer is alive: nas:/run/locks/data.hold is locked");
    expect(text).toContain("taken by laptop/home");
  });

  test.each([
    [{ ...held, ownerIsDead: true }, "its owner is dead"],
    [{ ...held, writer: { state: "untold" } }, "unfenced: its writers hold no kernel lock"],
    [{ ...held, writer: { state: "unknown", detail: "no way" } }, "whether a writer is alive cannot be told: no way"],
    [{ ...held, ttlSeconds: 0 }, "never stale"],
    [{ ...held, silentSeconds: null }, "last sign of life at an unknown time"],
    [{ ...free, writer: held.writer }, "data.hold is locked, although"],
    [{ ...free, state: "unknown", detail: "no answer" }, "UNKNOWN, which counts as locked: no answer"],
    [{ ...free, state: "unknown", detail: "no answer" }, "→ rsyncdirector doctor --config FILE nas"],
    [{ ...free, broken: [{ name: "/run/locks/data.broken.x", ageSeconds: 60 }] }, "broken 1m ago, and kept as"],
  ] as [LockReport, string][])("tells %#", (report, words) => {
    expect(show(report)).toContain(words);
  });

  test("lets nothing out of a file steer the terminal", () => {
    const evil = "\u001b[2J\u202e\u0085";
    const foreign: LockReport = { ...free, state: "foreign", firstLine: evil, silentSeconds: 3 };
    const forged: LockReport = { ...held, job: evil, run: evil, owner: { ...held.owner!, host: evil, rsyncId: evil } };
    const text = show(foreign, forged);
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text).toContain(String.raw`"\u001b[2J\u202e\u0085"`);
  });
});

test("JSON has every lock with every field", () => {
  const [first] = (JSON.parse(locksAsJson([held])) as { locks: LockReport[] }).locks;
  expect(first).toEqual(held);
});

import { describe, expect, it } from "vitest";
import { explanationAsJson, formatExplanation } from "../../../src/cli/explain-view.ts";
import type { Explanation } from "../../../src/daemon/inspect/explain.ts";
import type { LockExplanation } from "../../../src/daemon/inspect/explain-locks.ts";

const now = Date.UTC(2026, 2, 1, 12);
const minute = 60_000;
const lock: LockExplanation = {
  place: { host: "nas", path: "/locks/data" },
  ...{ roles: ["blocks_on"], block: null, state: "free", holder: null, own: false, leftover: false, ageSeconds: null },
  ...{ firstLine: null, progress: null, stale: null, detail: null, remedy: null },
};
const held: LockExplanation = {
  ...lock,
  state: "held",
  holder: {
    ...{ job: "mail", rsyncId: "laptop2", host: "laptop2", pid: 77, runId: "r2", state: "held" },
    ...{ since: "2026-03-01T11:50:00.000Z", token: "t".repeat(22), hold: true },
  },
  ageSeconds: 12,
  stale: { kind: "bounded", withinMs: 11 * minute },
};
const idle: Explanation = {
  ...{ job: "home", rsyncId: "laptop", enabled: true, director: { state: "running", pid: 42 } },
  ...{
    activity: { kind: "idle" },
    otherRuns: [],
    watches: [],
    schedules: ["0 3 * * *"],
    nextAt: now + 15 * 60 * minute,
  },
  ...{ last: null, locks: [], spared: null, paused: null, pending: [] },
};
const waits: Explanation = {
  ...idle,
  activity: {
    ...{ kind: "waits", runId: "r1", startedAt: now - 6 * minute },
    wait: { sinceAt: now - 5 * minute, place: lock.place, because: "held by job mail", until: null },
  },
  locks: [held],
};
const show = (explanation: Partial<Explanation>) => formatExplanation({ ...idle, ...explanation }, now);
const answer = (explanation: Partial<Explanation>) => show(explanation).split("\n")[0];
const ofLock = (changes: Partial<LockExplanation>) => show({ ...waits, locks: [{ ...held, ...changes }] });

describe("what a watched or paused job lacks", () => {
  const pending = { jobId: "home", actionId: "copy", targetId: "nas", files: 3, oldestAt: now - 10 * minute };

  it("is told for each target", () => {
    const text = show({ pending: [pending, { ...pending, targetId: "vault", files: null }] });
    expect(text).toContain("nas: 3 changes pending since 2026-03-01 11:50:00 (10m), action copy");
    expect(text).toContain("vault: a complete sync is due since");
  });

  it("is told with who paused it, until when and why", () => {
    const paused = { since: now - minute, until: now + 60 * minute, by: "root", reason: "new disk" };
    expect(answer({ paused })).toBe("home: is paused; no schedule, no change and no request starts it");
    expect(show({ paused })).toContain(
      "by root since 2026-03-01 11:59:00, until 2026-03-01 13:00:00 (in 1h): new disk",
    );
    expect(show({ paused: { ...paused, until: null } })).toContain("until: rsyncdirector resume home");
    const runs = { kind: "runs", runId: "r1", startedAt: now } as const;
    expect(answer({ paused, activity: runs })).toContain("runs since");
  });
});

describe("the answer", () => {
  it.each<[string, Partial<Explanation>, RegExp]>([
    ["waits for a lock", waits, /^home: waits for nas:\/locks\/data since 2026-03-01 11:55:00 \(5m\)$/],
    ["waits for what is free by now", { ...waits, locks: [lock] }, /just now everything is free/],
    ["runs", { activity: { kind: "runs", runId: "r1", startedAt: now - minute } }, /runs since .* \(1m\), in run r1$/],
    [
      "has its turn later",
      { activity: { kind: "next", runId: "r1", startedAt: now, current: ["mail"] } },
      /waits for its turn: run r1 works on mail first$/,
    ],
    ["is disabled", { enabled: false }, /is disabled/],
    ["has no director", { director: { state: "stopped" } }, /no director runs .* systemctl start rsyncdirector@laptop/],
    ["does not run", {}, /does not run: its schedule starts it at 2026-03-02 03:00:00, in 15h$/],
    ["has no schedule", { schedules: [], nextAt: null }, /it has no schedule/],
    [
      "watches",
      { schedules: [], nextAt: null, watches: ["/srv/www"] },
      /does not run: it watches, and runs when something changes$/,
    ],
    [
      "watches and has a schedule",
      { watches: ["/srv/www"] },
      /it watches, and runs when something changes; its schedule starts it at 2026-03-02 03:00:00, in 15h$/,
    ],
    ["has a schedule that never fires", { nextAt: null }, /its schedule never fires/],
    ["would wait", { locks: [held] }, /If it were started now, it would wait for nas:\/locks\/data$/],
    [
      "is not known to run",
      { activity: { kind: "unknown", detail: "no history" } },
      /UNKNOWN whether it runs: no history/,
    ],
    [
      "has a director of which nobody knows",
      { director: { state: "unknown", detail: "no permission" } },
      /UNKNOWN whether a director runs: no permission$/,
    ],
  ])("for a job that %s", (_, explanation, words) => {
    expect(answer(explanation)).toMatch(words);
    expect(JSON.parse(explanationAsJson({ ...idle, ...explanation }, now))).toMatchObject({
      answer: answer(explanation)?.slice("home: ".length),
    });
  });
});

describe("what it rests on", () => {
  it("names the end of the wait and what it means", () => {
    const until = (key: "timeout" | "jobs.timeout", means: "skip" | "fail") => {
      const { activity } = waits;
      if (activity.kind !== "waits") throw new Error("no wait");
      const wait = { ...activity.wait, until: { at: now + minute, key, means } };
      return show({ ...waits, activity: { ...activity, wait } });
    };
    expect(show(waits)).toContain("there is no timeout");
    expect(until("timeout", "skip")).toMatch(
      /12:01:00 \(in 1m\) at the latest; then the job is skipped \(on_timeout: skip\)/,
    );
    expect(until("timeout", "fail")).toContain("then the job fails (on_timeout: fail)");
    expect(until("jobs.timeout", "fail")).toContain("the timeout of the whole job ends it: it fails");
  });

  it("shows the holder, its signs of life, how far it is, and by when it will be broken", () => {
    const started = { started: "2026-03-01T11:50:00Z", at: "2026-03-01T11:59:30Z", eta: "2026-03-01T12:10:00Z" };
    const progress = { token: "", job: "mail", action: "copy", percent: 43, bytes: 1.2e9, rate: 1e7, ...started };
    const text = ofLock({ progress });
    expect(text).toContain("held by job mail of laptop2 on laptop2 (process 77), run r2");
    expect(text).toContain("last sign of life 12s ago");
    expect(text).toContain(
      "progress: action copy since 2026-03-01 11:50:00, 43 %, 1.20 GB, 10.0 MB/s, ends about 2026-03-01 12:10:00 (as of 2026-03-01 11:59:30)",
    );
    expect(text).toContain("breaks it by 2026-03-01 12:11:00 (in 11m), unless a writer at its destination still lives");
    expect(ofLock({})).toContain("progress: not told yet");
    expect(ofLock({ stale: { kind: "owner-dead" } })).toContain("its owner is dead");
    expect(ofLock({ leftover: true })).toContain("its next start gives it back");
  });

  it("names what is watched, where something is", () => {
    expect(show({ watches: ["/srv/www", "/etc/site.conf"] })).toContain("  watches   /srv/www, /etc/site.conf\n");
    expect(show({})).not.toContain("watches");
  });

  it("tells a foreign lock, and how to get rid of it", () => {
    const because = "foreign_stale_after is not set for it";
    const text = ofLock({ state: "foreign", holder: null, firstLine: "4711", stale: { kind: "never", because } });
    expect(text).toContain('held by another program (first line: "4711"), 12s old');
    expect(text).toContain(`is never broken: ${because}`);
    expect(text).toContain("rsyncdirector locks break nas:/locks/data --foreign");
  });

  it("says UNKNOWN where nobody can say, and what to do", () => {
    const unknown = { detail: "no answer", remedy: "rsyncdirector doctor nas" };
    const text = ofLock({ state: "unknown", holder: null, stale: null, ...unknown });
    expect(text).toContain("UNKNOWN, which counts as locked: no answer\n    → rsyncdirector doctor nas");
    expect(ofLock({ ageSeconds: -5 })).toContain("last sign of life an unknown time ago");
  });

  it("keeps what others wrote from steering the terminal", () => {
    expect(ofLock({ state: "foreign", holder: null, firstLine: "\u001b]0;x\u0007" })).not.toMatch(/[\u001b\u0007]/);
    const holder = held.holder && { ...held.holder, job: "\u001b[2J" };
    expect(ofLock({ holder })).not.toContain("\u001b");
  });
});

import { describe, expect, it } from "vitest";
import type { JobStatus } from "../../../../src/model/status.ts";
import { groupOf, sortJobs } from "../../../../src/model/job-order.ts";
import { judge } from "../../../../src/web/page/verdict.ts";
import { sampleJob, sampleNow, sampleStatus, sampleTarget } from "../../../support/status-samples.ts";

const hour = 3_600_000;

function verdictOf(jobs: readonly JobStatus[], overrides: Parameters<typeof sampleStatus>[0] = {}) {
  return judge(sampleStatus({ jobs, ...overrides }));
}

const stale = (overrides: Partial<JobStatus> = {}) =>
  sampleJob("remote", { freshness: "stale", lastSuccessAt: sampleNow - 26 * hour, ...overrides });

const blocked: Partial<JobStatus> = {
  activity: "waiting",
  waitingFor: {
    place: { host: "nas", path: "/run/l" },
    state: "held",
    owner: "laptop (pid 7)",
    detail: "",
    since: sampleNow - 2 * hour,
  },
};

describe("the sentence at the top", () => {
  it("says that all is well only when every measured job is fresh", () => {
    const jobs = [sampleJob("a"), sampleJob("b"), sampleJob("c")];
    expect(verdictOf(jobs)).toEqual({ tone: "good", sentence: "All 3 jobs are fresh.", notes: [] });
  });

  it("names a stale job, since when, and whom it waits for", () => {
    expect(verdictOf([sampleJob("a"), stale(blocked)])).toMatchObject({
      tone: "bad",
      sentence:
        "1 of 2 jobs is fresh; remote is stale (last success 26h ago), blocked since 2h by nas:/run/l, held by laptop (pid 7).",
    });
  });

  it("says that nobody knows who holds a lock that nobody could look at", () => {
    const place = { host: "nas", path: "/run/l" };
    const waitingFor = { place, state: "unknown", owner: null, detail: "no answer", since: 0 } as const;
    expect(verdictOf([stale({ ...blocked, waitingFor })]).sentence).toContain(
      "nobody can say whether it is held: no answer",
    );
  });

  it("names the stale targets of a job that has several", () => {
    const targets = [sampleTarget("nas"), sampleTarget("vault", { freshness: "stale", lastSuccessAt: null })];
    expect(verdictOf([stale({ targets })]).sentence).toContain("remote is stale (vault: no success is known)");
  });

  it("tells why the last run failed", () => {
    const lastRun = { runId: "r", outcome: "failed", message: "exit 23", startedAt: 0, finishedAt: 1 } as const;
    expect(verdictOf([sampleJob("a", { lastRun })])).toMatchObject({
      tone: "warn",
      sentence: "The only measured job is fresh; a failed last time: exit 23.",
    });
  });

  it("never takes what nobody knows for fresh", () => {
    expect(verdictOf([sampleJob("a", { freshness: "unknown" })]).tone).toBe("bad");
    const fresh = [sampleJob("a")];
    expect(verdictOf(fresh, { history: { ok: false, detail: "disk full" } })).toMatchObject({
      tone: "bad",
      sentence: "Nobody can say whether the copies are fresh: the history fails (disk full).",
    });
  });

  it("does not count jobs that nothing measures, and does not call them fresh", () => {
    const unmeasured = sampleJob("b", { freshness: "unmeasured" });
    expect(verdictOf([sampleJob("a"), unmeasured]).sentence).toBe("The only measured job is fresh.");
    expect(verdictOf([unmeasured])).toMatchObject({
      tone: "calm",
      sentence: "No schedule says how fresh the copies have to be.",
    });
  });

  it("does not call it well when no job is enabled", () => {
    expect(verdictOf([sampleJob("a", { enabled: false })]).tone).toBe("warn");
    expect(verdictOf([]).tone).toBe("warn");
  });

  it("names two jobs and counts the others", () => {
    const jobs = ["a", "b", "c", "d"].map((id) => ({ ...stale(), jobId: id }));
    expect(verdictOf(jobs).sentence).toMatch(
      /^0 of 4 jobs are fresh; a is stale .*; b is stale .*; 2 more jobs need a look\.$/,
    );
  });

  it("notes a configuration that was refused, a paused job and a lock in doubt", () => {
    const lastReload = { at: sampleNow, ok: false, message: "jobs[0].id: twice" };
    const paused = { since: 0, until: null, by: "root", reason: null };
    const lock = { place: { host: null, path: "/l" }, token: "t", since: sampleNow - hour, state: "suspect" } as const;
    const { notes } = verdictOf([sampleJob("a", { paused }), sampleJob("b", { locks: [lock] })], { lastReload });
    expect(notes).toEqual([
      "The configuration was not taken over at 2026-11-29 22:00:00: jobs[0].id: twice",
      "Paused: a.",
      "Lock /l of b is suspect (taken 1h ago).",
    ]);
  });

  it("notes a clock in doubt, and then not all is well", () => {
    const clockDoubt = { since: sampleNow, lastSeenAt: sampleNow - 87_648 * hour, until: sampleNow + 168 * hour };
    expect(verdictOf([sampleJob("a")], { clockDoubt })).toEqual({
      tone: "warn",
      sentence: "The only measured job is fresh.",
      notes: [expect.stringMatching(/^Clock in doubt since 2026-11-29 22:00:00, last seen at 2016-11-29 22:00:00: /)],
    });
  });
});

describe("the order of the jobs", () => {
  it("is by trouble, then by activity, then as in the configuration", () => {
    const jobs = [
      sampleJob("z-fresh"),
      sampleJob("off", { enabled: false, freshness: "never" }),
      sampleJob("queued", { activity: "queued" }),
      sampleJob("running", { activity: "running" }),
      sampleJob("a-fresh"),
      sampleJob("degraded", { watch: { directories: 1, degraded: "too few watches" } }),
      stale(),
      sampleJob("unknown", { freshness: "unknown" }),
      sampleJob("paused", { paused: { since: 0, until: null, by: "x", reason: null } }),
      { ...stale({ activity: "running" }), jobId: "stale-running" },
    ];
    expect(sortJobs(jobs).map(({ jobId }) => jobId)).toEqual([
      ...["unknown", "stale-running", "remote", "degraded", "running", "queued", "z-fresh", "a-fresh", "off", "paused"],
    ]);
  });

  it("keeps a stale job among those in trouble while it is paused or runs", () => {
    const paused = { since: 0, until: null, by: "x", reason: null };
    expect(groupOf(stale({ paused }))).toBe("attention");
    expect(groupOf(stale({ activity: "running" }))).toBe("attention");
  });

  it("does not worry about the first run of a new job while it runs", () => {
    const first = { freshness: "never", lastRun: null, targets: [sampleTarget("t", { lastOutcome: null })] } as const;
    expect(groupOf(sampleJob("new", { ...first, activity: "running" }))).toBe("active");
    expect(groupOf(sampleJob("new", first))).toBe("attention");
  });
});

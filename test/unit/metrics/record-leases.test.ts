import { beforeEach, describe, expect, test } from "vitest";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { recordMetrics } from "../../../src/metrics/record-metrics.ts";
import { newEvents } from "../../support/history-samples.ts";
import { scrapeText } from "../../support/scrape-text.ts";

const home = { id: "home", actionIds: ["copy"], targetIds: [], blocks: true };
const place = { host: "nas", path: "/run/x" };

describe("metrics of leases", () => {
  let events: ReturnType<typeof newEvents>;
  let metrics: ReturnType<typeof createMetrics>;
  let now: number;

  beforeEach(() => {
    events = newEvents();
    metrics = createMetrics({ version: "1" });
    now = 1_000_000;
    const recorder = recordMetrics({ events, set: metrics.set, rsyncId: "x" });
    recorder.setJobs([home]);
    metrics.beforeScrape(() => recorder.refresh(now));
  });

  const of = (token = "token") => ({ jobId: "home", runId: "run", place, token, at: now });
  const value = async (name: string) => {
    const text = await scrapeText(metrics);
    return Number(new RegExp(`^rsyncdirector_${name}\\{job_id="home"\\} (.*)$`, "m").exec(text)?.[1] ?? "NaN");
  };
  const suspect = { ageMs: 1, detail: "" };

  test("the state is the worst of the job's locks, and none after the release", async () => {
    const states: number[] = [];
    events.emit("job:started", of());
    const note = async () => states.push(await value("lock_state"));
    events.emit("lock:acquired", of());
    await note();
    events.emit("lock:held", of());
    events.emit("lock:acquired", of("second"));
    events.emit("lock:held", of("second"));
    await note();
    events.emit("lock:suspect", { ...of("second"), ...suspect });
    await note();
    events.emit("lock:confirmed", { ...of("second"), ageMs: 1 });
    await note();
    events.emit("lock:lost", { ...of(), ...suspect, cause: "taken" });
    await note();
    events.emit("lock:released", of());
    events.emit("lock:released", of("second"));
    await note();
    expect(states).toEqual([1, 2, 3, 2, 4, 0]);
    expect(await value("lock_lost_total")).toBe(1);
  });

  test("the age of the oldest sign of life grows from scrape to scrape", async () => {
    events.emit("lock:acquired", of());
    now += 10_000;
    events.emit("lock:acquired", of("second"));
    now += 5000;
    expect(await value("lock_heartbeat_age_seconds")).toBe(15);
    events.emit("lock:beat", of());
    now += 2000;
    expect(await value("lock_heartbeat_age_seconds")).toBe(7);
    events.emit("lock:withdrawn", { ...of("second"), because: "" });
    events.emit("lock:released", of());
    expect(await value("lock_heartbeat_age_seconds")).toBe(0);
  });

  test("a sign of life whose answer comes after the release changes nothing", async () => {
    events.emit("lock:acquired", of());
    events.emit("lock:released", of());
    events.emit("lock:beat", of());
    now += 60_000;
    expect(await value("lock_heartbeat_age_seconds")).toBe(0);
    expect(await value("lock_state")).toBe(0);
  });

  test("the age of a foreign lock is there as long as the job waits", async () => {
    const foreign = { jobId: "home", runId: "run", place, owner: "1", at: now };
    events.emit("lock:foreign", { ...foreign, ageSeconds: 100 });
    events.emit("lock:foreign", { ...foreign, ageSeconds: Number.NaN });
    now += 20_000;
    expect(await value("lock_foreign_age_seconds")).toBe(120);
    events.emit("job:unblocked", { jobId: "home", runId: "run", waitedMs: 1, outcome: "free", at: now });
    expect(await value("lock_foreign_age_seconds")).toBe(0);
  });

  test("a lock that was lost is forgotten when its job ends, or at once when it has ended", async () => {
    const lost = { ...suspect, cause: "taken" } as const;
    events.emit("job:started", of());
    events.emit("lock:acquired", of());
    events.emit("lock:lost", { ...of(), ...lost });
    now += 5000;
    expect(await value("lock_state")).toBe(4);
    expect(await value("lock_heartbeat_age_seconds")).toBe(5);
    events.emit("job:finished", { ...of(), outcome: { kind: "ok" }, startedAt: 0 });
    expect(await value("lock_state")).toBe(0);
    events.emit("lock:acquired", of("late"));
    events.emit("lock:lost", { ...of("late"), ...lost });
    now += 5000;
    expect(await value("lock_state")).toBe(0);
    expect(await value("lock_heartbeat_age_seconds")).toBe(0);
    expect(await value("lock_lost_total")).toBe(2);
  });

  test("the time of a wait grows from its first look until it is over", async () => {
    const blocked = { jobId: "home", runId: "run", place, state: "held", owner: "1", detail: "" } as const;
    events.emit("job:blocked", { ...blocked, at: now });
    now += 20_000;
    events.emit("job:blocked", { ...blocked, at: now });
    now += 20_000;
    expect(await value("waiting_seconds")).toBe(40);
    events.emit("job:unblocked", { jobId: "home", runId: "run", waitedMs: 40_000, outcome: "free", at: now });
    expect(await value("waiting_seconds")).toBe(0);
  });

  test("doubts and spared locks are counted", async () => {
    events.emit("lock:suspect", { ...of(), ...suspect });
    events.emit("lock:spared", { ...of(), owner: "", ageSeconds: 1, cause: "in-use", detail: "" });
    expect(await value("lock_suspect_total")).toBe(1);
    expect(await value("lock_spared_total")).toBe(1);
  });

  test("breakings are counted, those of unknown jobs are not", async () => {
    const broken = { place, token: "t", owner: "", ageSeconds: 1, observedMs: 1, because: "", at: now, runId: "run" };
    events.emit("lock:broken", { ...broken, jobId: "home" });
    events.emit("lock:broken", { ...broken, jobId: "elsewhere" });
    events.emit("lock:lost", { ...of(), ...suspect, cause: "taken", jobId: "elsewhere" });
    expect(await value("lock_broken_total")).toBe(1);
    expect(await scrapeText(metrics)).not.toContain("elsewhere");
  });
});

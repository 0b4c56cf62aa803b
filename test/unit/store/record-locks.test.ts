import { join } from "node:path";
import { chmod, stat } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { openHistoryFile } from "../../../src/store/database.ts";
import { loadLibsqlDriver } from "../../../src/store/libsql-driver.ts";
import { pruneLockEvents, readLockEvents, recordLockEvent } from "../../../src/store/lock-events.ts";
import { openHistory, readHistory, type History } from "../../../src/store/open-history.ts";
import { recordForcedUnlock } from "../../../src/store/record-forced-unlock.ts";
import { pruneHistory } from "../../../src/store/retention.ts";
import { recordRunEnd } from "../../../src/store/run-records.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { emitRunStart, newEvents } from "../../support/history-samples.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const opened: History[] = [];
afterEach(() => opened.splice(0).forEach((history) => history.close()));

const of = { runId: "20260301-000000-aaaaaa", jobId: "home" };
const place = { host: "backup01", path: "/locks/data" };
const token = "t".repeat(22);
const retention = { keepRuns: 100, keepMs: 90 * 86_400_000 };

async function start(loadDriver = loadLibsqlDriver) {
  const file = join(await makeTempDir(), "history.db");
  const [events, clock, log] = [newEvents(), new FakeClock(), createMemoryLog()];
  const history = await openHistory({ file, retention, events, clock, log, loadDriver });
  opened.push(history);
  emitRunStart(events, { runId: of.runId, at: 1000, jobs: [{ id: of.jobId }] });
  const told = () => history.query((ask) => ask.readRun(of.runId)?.lockEvents) ?? [];
  return { events, clock, log, history, file, told };
}

describe("the audit of locks", () => {
  it("tells in order what happened to the locks of a run", async () => {
    const { events, told } = await start();
    const lock = { ...of, place, token };
    const owner = "held by job mail";
    events.emit("job:blocked", { ...of, place, state: "held", owner: "12", detail: owner, at: 1 });
    events.emit("lock:foreign", { ...of, place, owner: "4711", ageSeconds: 60, at: 2 });
    const stale = { ...lock, owner, ageSeconds: 700 };
    events.emit("lock:spared", { ...stale, cause: "in-use", detail: "a writer is alive", at: 3 });
    events.emit("lock:broken", { ...stale, observedMs: 120_000, because: "no sign of life", at: 4 });
    events.emit("job:unblocked", { ...of, waitedMs: 4000, outcome: "free", at: 5 });
    events.emit("lock:acquired", { ...lock, at: 6 });
    events.emit("lock:withdrawn", { ...lock, because: "another claim", at: 7 });
    events.emit("lock:held", { ...lock, at: 8 });
    events.emit("lock:beat", { ...lock, at: 9 });
    events.emit("lock:suspect", { ...lock, ageMs: 30_500, detail: "no answer", at: 10 });
    events.emit("lock:confirmed", { ...lock, ageMs: 40_000, at: 11 });
    events.emit("lock:lost", { ...lock, cause: "taken", detail: "the file is gone", ageMs: 1, at: 12 });
    events.emit("lock:stuck", { ...lock, detail: "no answer in time", at: 13 });
    events.emit("lock:recovered", { ...lock, outcome: "absent", at: 14 });
    events.emit("lock:released", { ...lock, at: 15 });
    const row = { ...of, place, token, owner: null, ageMs: null, detail: null };
    expect(told()).toEqual([
      { ...row, at: 1, kind: "waiting", token: null, owner },
      { ...row, at: 2, kind: "foreign", token: null, owner: "4711", ageMs: 60_000 },
      { ...row, at: 3, kind: "spared", owner, ageMs: 700_000, detail: "in-use: a writer is alive" },
      {
        ...{ ...row, at: 4, kind: "broken", owner, ageMs: 700_000 },
        detail: "no sign of life; watched unchanged for 120 s",
      },
      { ...row, at: 5, kind: "waited", place: null, token: null, ageMs: 4000, detail: "free" },
      { ...row, at: 6, kind: "acquired" },
      { ...row, at: 7, kind: "withdrawn", detail: "another claim" },
      { ...row, at: 8, kind: "held" },
      { ...row, at: 10, kind: "suspect", ageMs: 30_500, detail: "no answer" },
      { ...row, at: 11, kind: "confirmed", ageMs: 40_000 },
      { ...row, at: 12, kind: "lost", ageMs: 1, detail: "taken: the file is gone" },
      { ...row, at: 13, kind: "stuck", detail: "no answer in time" },
      { ...row, at: 14, kind: "recovered", detail: "absent" },
      { ...row, at: 15, kind: "released" },
    ]);
  });

  it("tells of a wait once, however often the job looks, and again when something else is in the way", async () => {
    const { events, told } = await start();
    const wait = { ...of, place, state: "held", owner: "12" } as const;
    for (let at = 1; at < 50; at += 1) events.emit("job:blocked", { ...wait, detail: "held by mail (pid 1)", at });
    events.emit("job:blocked", { ...wait, detail: "held by mail (pid 2)", at: 50 });
    const unknown = { ...wait, state: "unknown" } as const;
    events.emit("job:blocked", { ...unknown, detail: "not tried again for 300 s", at: 51 });
    events.emit("job:blocked", { ...unknown, detail: "not tried again for 299 s", at: 52 });
    events.emit("job:unblocked", { ...of, waitedMs: 52, outcome: "timeout", at: 53 });
    events.emit("job:blocked", { ...wait, detail: "held by mail (pid 2)", at: 54 });
    expect(told().map(({ at }) => at)).toEqual([1, 50, 51, 53, 54]);
  });

  it("keeps secrets out", async () => {
    const { events, told } = await start();
    events.emit("lock:withdrawn", { ...of, place, token, because: "ssh://me:hush@host", at: 1 });
    expect(told()[0]?.detail).toBe("ssh://me:[redacted]@host");
  });

  it("of a run whose beginning was lost is still found by the run", async () => {
    const { events, told, history } = await start();
    const other = { ...of, runId: "20260301-000001-bbbbbb" };
    events.emit("lock:recovered", { ...other, place, token, outcome: "released", at: 1 });
    expect(told()).toEqual([]);
    expect(history.query((ask) => ask.lockEvents({ runId: other.runId, limit: 10 }))).toHaveLength(1);
  });

  it("is written later when the database did not work, each line once", async () => {
    const driver = await loadLibsqlDriver();
    let broken = true;
    const { events, clock, told, history } = await start(() =>
      Promise.resolve({
        open: (path, options) => driver.open(broken ? join(path, "nowhere") : path, options),
      }),
    );
    events.emit("lock:acquired", { ...of, place, token, at: 1 });
    await clock.advance(500);
    expect(history.state().ok).toBe(false);
    broken = false;
    events.emit("lock:released", { ...of, place, token, at: 2 });
    await clock.advance(120_000);
    expect(history.state().ok).toBe(true);
    expect(told().map(({ kind }) => kind)).toEqual(["acquired", "released"]);
  });
});

describe("its retention", () => {
  const event = {
    kind: "held",
    runId: null,
    jobId: "a",
    place,
    token,
    owner: null,
    ageMs: null,
    detail: null,
  } as const;
  async function open() {
    const { database } = openHistoryFile(await loadLibsqlDriver(), join(await makeTempDir(), "h.db"), 1000);
    return { database, left: () => readLockEvents(database, { limit: 100 }).map(({ at }) => at) };
  }

  it("lets the lines of a run go with it, and those of none with their age", async () => {
    const { database, left } = await open();
    for (const [runId, at] of [["old", 10] as const, ["new", 9000] as const]) {
      const run = { runId, cause: { kind: "signal" }, jobs: ["a"], startedAt: at, owner: "none:1:1" } as const;
      recordRunEnd(database, run, "ok", at);
      recordLockEvent(database, `of ${runId}`, { ...event, runId, at });
    }
    recordLockEvent(database, "alone, old", { ...event, at: 11 });
    recordLockEvent(database, "alone, new", { ...event, at: 9001 });
    expect(pruneHistory(database, { retention: { keepRuns: 10, keepMs: 5000 }, now: 10_000 })).toBe(false);
    expect(left()).toEqual([9000, 9001]);
    database.close();
  });

  it("bounds how many there are, also in one run that does not end, and works in steps", async () => {
    const { database, left } = await open();
    for (let at = 1; at <= 30; at += 1) recordLockEvent(database, `line ${at}`, { ...event, at });
    expect(pruneLockEvents(database, { before: 0, step: 10, most: 12 })).toBe(true);
    expect(left()).toHaveLength(20);
    expect(pruneLockEvents(database, { before: 0, step: 10, most: 12 })).toBe(false);
    expect(left()).toEqual([19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    database.close();
  });

  it("writes no line twice", async () => {
    const { database, left } = await open();
    for (let time = 0; time < 2; time += 1) recordLockEvent(database, "the same", { ...event, at: 1 });
    expect(left()).toEqual([1]);
    database.close();
  });
});

it("is added to a history that an earlier version wrote, which keeps its runs", async () => {
  const [path, driver] = [join(await makeTempDir(), "h.db"), await loadLibsqlDriver()];
  const { database } = openHistoryFile(driver, path, 1000);
  const run = { runId: "before", cause: { kind: "signal" }, jobs: ["a"], startedAt: 1, owner: "none:1:1" } as const;
  recordRunEnd(database, run, "ok", 2);
  for (const table of ["lock_events", "dirty_paths", "dirty_destinations"]) database.exec(`DROP TABLE ${table}`);
  database.exec("PRAGMA user_version = 1");
  database.close();
  const { database: again } = openHistoryFile(driver, path, 1000);
  expect(readLockEvents(again, { limit: 1 })).toEqual([]);
  expect(again.all("SELECT run_id FROM runs")).toEqual([{ run_id: "before" }]);
  again.close();
});

describe("a forced unlock", () => {
  const event = {
    at: 5,
    runId: null,
    jobId: "mail",
    place,
    token,
    owner: "job mail of x",
    ageMs: 1,
    detail: "by root",
  };

  it("is recorded beside a director that runs, and can be read back", async () => {
    const { file, events, told } = await start();
    expect(await recordForcedUnlock(file, event)).toBeUndefined();
    events.emit("lock:acquired", { ...of, place, token, at: 6 });
    expect(told()).toHaveLength(1);
    const history = await readHistory(file);
    expect(history?.lockEvents({ jobId: "mail", limit: 10 })).toEqual([{ ...event, kind: "forced" }]);
    history?.close();
  });

  it("is recorded where nothing was recorded before, in a file that belongs to the owner of the directory", async () => {
    const directory = await makeTempDir();
    const file = join(directory, "history.db");
    expect(await recordForcedUnlock(file, event)).toBeUndefined();
    expect((await stat(file)).uid).toBe((await stat(directory)).uid);
  });

  it("says why it could not be recorded", async () => {
    const directory = await makeTempDir();
    await chmod(directory, 0o700);
    expect(await recordForcedUnlock(join(directory, "file-in-the-way"), event)).toBeUndefined();
    const reason = await recordForcedUnlock(join(directory, "file-in-the-way", "history.db"), event);
    expect(reason).toMatch(/not a directory|ENOTDIR|EEXIST/i);
  });
});

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { expect, it, vi } from "vitest";
import { openHistoryFileForReading } from "../../src/store/database.ts";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";
import { copyJob, runDaemonHere, type RunningDaemon, startHere } from "../support/running-daemon.ts";
import { SetClock } from "../support/set-clock.ts";

const day = 86_400_000;
const decade = 3652 * day;
const soon = { timeout: 30_000 };

/** Copies of changes for a month, and the last four runs of the last month. */
async function beginWith(clock: SetClock) {
  const first = await runDaemonHere(
    (path) => ({
      history: { keep_runs: 4, keep_days: 30 },
      jobs: [copyJob(path, { id: "www", schedule: "0 0 1 1 *", track_changes: { keep_days: 30, keep_last: 100 } })],
    }),
    clock,
  );
  const { instance } = first;
  let director: RunningDaemon = first;
  let rounds = 0;
  const ask = async (sql: string) => {
    const database = openHistoryFileForReading(await loadLibsqlDriver(), instance.path("state/history-test.db"));
    try {
      return database?.all(sql) ?? [];
    } finally {
      database?.close();
    }
  };
  return {
    /** One run that carries a change; the copy is in a directory of the run's name. */
    run: async () => {
      rounds += 1;
      await writeFile(instance.path("source/file"), `${"x".repeat(rounds)}\n`);
      const finished = director.next("run:finished");
      director.control.run(["www"], "anna");
      const { runId, outcome } = await finished;
      expect(outcome).toBe("ok");
      return runId;
    },
    /** What an earlier version leaves, which did not watch the clock. */
    forgetClock: () => rm(instance.path("state/clock-test.json")),
    stop: () => director.stop(),
    start: async () => void (director = await startHere(instance, clock)),
    /** The runs that the history knows, the oldest first. */
    history: async () => (await ask("SELECT run_id FROM runs ORDER BY id")).map((row) => String(row["run_id"])),
    /** Runs whose previous copies are there. */
    copies: async () => readdir(instance.path("state/changes-test/versions")),
    /** What the schedules remember. */
    notes: async () => (await ask("SELECT scheduled_for FROM schedule_ledger ORDER BY 1")).map(Object.values),
    /** What the status and the metrics say of the clock. */
    told: async () => {
      const { addr, port } = director.daemon.metricsAddress;
      const text = await (await fetch(`http://${addr}:${port}/metrics`)).text();
      const metric = /^rsyncdirector_clock_in_doubt (\d)$/m.exec(text)?.[1];
      return { doubt: director.control.status().clockDoubt, metric };
    },
    warnings: async () =>
      (await readFile(instance.path("director.log"), "utf8"))
        .split("\n")
        .filter((line) => line.includes("the clock is far ahead of when it was last seen")).length,
  };
}

it("deletes no previous copy, no run and no note of the schedules while a clock is ten years ahead", async () => {
  const clock = new SetClock();
  const { run, stop, start, history, copies, notes, warnings } = await beginWith(clock);
  const before = [await run(), await run(), await run(), await run()];
  const noted = await notes();
  expect(noted).toHaveLength(1);

  clock.set(decade);
  const wrong = [await run()];
  // Limits by number hold, and show that the history was tidied.
  await vi.waitFor(async () => expect(await history()).not.toContain(before[0]), soon);
  expect(await history()).toEqual([...before.slice(1), ...wrong]);
  expect(new Set(await copies())).toEqual(new Set([...before.slice(1), ...wrong]));
  expect(await notes()).toEqual(noted);
  expect(await warnings()).toBe(1);

  await stop();
  await start();
  wrong.push(await run());
  await vi.waitFor(async () => expect(await history()).not.toContain(before[1]), soon);
  expect(await history()).toEqual([...before.slice(2), ...wrong]);
  expect(new Set(await copies())).toEqual(new Set([...before.slice(1), ...wrong]));
  expect(await notes()).toEqual(noted);
  expect(await warnings()).toBe(2);

  // Right again, and a good month later: what was made before is old now.
  clock.set(40 * day);
  const right = await run();
  expect(new Set(await copies())).toEqual(new Set([...wrong, right]));
  await vi.waitFor(async () => expect(await history()).toEqual([...wrong, right]), soon);
  expect(await notes()).toEqual(noted);
  expect(await warnings()).toBe(2);
});

it("deletes by age again when a clock ten years ahead has been believed", async () => {
  const clock = new SetClock();
  const { run, stop, start, history, copies, notes } = await beginWith(clock);
  await run();
  const before = await run();
  clock.set(decade);
  const doubted = await run();
  expect(new Set(await copies())).toEqual(new Set([before, doubted]));

  clock.set(decade + 8 * day);
  await stop();
  await start();
  const believed = await run();
  expect(new Set(await copies())).toEqual(new Set([doubted, believed]));
  await vi.waitFor(async () => expect(await history()).toEqual([doubted, believed]), soon);
  expect(await notes()).toEqual([]);
});

it("says in the status and the metrics that a clock is in doubt, for as long as it is", async () => {
  const clock = new SetClock();
  const { told, stop, start } = await beginWith(clock);
  const begun = clock.now();
  expect(await told()).toEqual({ doubt: null, metric: "0" });
  clock.set(decade);
  const { doubt, metric } = await told();
  expect(metric).toBe("1");
  expect(doubt).toEqual({ since: expect.any(Number), lastSeenAt: expect.any(Number), until: expect.any(Number) });
  const { since = 0, lastSeenAt = 0, until = 0 } = doubt ?? {};
  expect(since).toBeGreaterThan(begun + decade - day);
  expect(lastSeenAt).toBeLessThan(begun + day);
  expect(until - since).toBe(7 * day);

  await stop();
  await start();
  expect(await told()).toEqual({ doubt, metric: "1" });
  clock.set(0);
  expect(await told()).toEqual({ doubt: null, metric: "0" });
});

it("doubts a clock that was never watched by what the history knows", async () => {
  const clock = new SetClock();
  const { run, stop, start, forgetClock, copies, warnings } = await beginWith(clock);
  await run();
  const before = await run();
  await stop();
  await forgetClock();
  clock.set(decade);
  await start();
  const doubted = await run();
  expect(new Set(await copies())).toEqual(new Set([before, doubted]));
  expect(await warnings()).toBe(1);
});

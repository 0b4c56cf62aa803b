import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { OperatorError } from "../../src/base/errors.ts";
import { runHistory, type HistoryOptions } from "../../src/cli/commands/history.ts";
import { openHistory } from "../../src/store/open-history.ts";
import { emitRun, newEvents, noStats, report } from "../support/history-samples.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const now = Date.parse("2026-03-02T12:00:00Z");

async function prepare(options: { record: boolean } = { record: true }) {
  const directory = await makeTempDir();
  const config = join(directory, "config.yaml");
  const state = join(directory, "state");
  await mkdir(state);
  await writeFile(
    config,
    `rsync_id: laptop01
state_dir: ${state}
jobs:
  - id: home
    type: local
    actions:
      - id: copy
        action: sync
        source: /src/
        dest: /dst/
        opts: ["-a"]
`,
    { mode: 0o600 },
  );
  const file = join(state, "history-laptop01.db");
  if (options.record) await recordSamples(file);
  const ask = async (question: Omit<HistoryOptions, "limit"> & { limit?: number }) => {
    let stdout = "";
    let stderr = "";
    const context = {
      env: {},
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      finish: () => undefined,
    };
    await runHistory({ config, limit: 20, ...question }, context, { now });
    return { stdout, stderr };
  };
  return { ask, file };
}

async function recordSamples(file: string): Promise<void> {
  const events = newEvents();
  const retention = { keepRuns: 100, keepMs: 365 * 86_400_000 * 100 };
  const history = await openHistory({ file, retention, events, clock: systemClock, log: createMemoryLog() });
  const stats = { ...noStats, filesTransferred: 12, transferredBytes: 3_400_000, filesDeleted: 2 };
  const good = { kind: "ok", report: report({ stats, output: "sent\u001b[2J 12 files\n" }) } as const;
  const bad = {
    kind: "failed",
    cause: "exit",
    message: "rsync: partial transfer (exit code 23)",
    retryable: false,
    report: report({ exitCode: 23, argv: ["rsync", "-a", "/a b/", "/dst/"], output: "rsync: denied" }),
  } as const;
  const failed = { kind: "failed", message: "copy: exit code 23", actionId: "copy" } as const;
  emitRun(events, { runId: "20260228-120000-aaaaaa", at: now - 2 * 86_400_000, jobs: [{ id: "home", action: good }] });
  emitRun(events, {
    runId: "20260302-110000-bbbbbb",
    at: now - 3_600_000,
    cause: { kind: "schedule", schedule: "0 11 * * *", scheduledFor: now - 3_600_000, missed: false },
    jobs: [
      { id: "home", action: bad, outcome: failed, waitedMs: 5000 },
      { id: "mail", action: good },
    ],
  });
  emitRun(events, { runId: "20260302-113000-cccccc", at: now - 1_800_000, jobs: [{ id: "mail", action: good }] });
  history.close();
}

const ids = (stdout: string) => [...stdout.matchAll(/^(\d{8}-\d{6}-\w{6})/gm)].map((match) => match[1]?.slice(-6));

test("lists the last runs as a table", async () => {
  const { ask } = await prepare();
  const { stdout } = await ask({});
  expect(stdout.split("\n")[0]).toMatch(/^RUN +STARTED +TOOK +CAUSE +OUTCOME +JOBS +SENT$/);
  expect(ids(stdout)).toEqual(["cccccc", "bbbbbb", "aaaaaa"]);
  expect(stdout).toMatch(/bbbbbb .* 200ms +schedule 0 11 \* \* \* +failed +home \(failed\), mail +3\.40 MB\n/);
});

test.each([
  [{ job: "home" }, ["bbbbbb", "aaaaaa"]],
  [{ job: "mail", failed: true }, []],
  [{ failed: true }, ["bbbbbb"]],
  [{ since: "1d" }, ["cccccc", "bbbbbb"]],
  [{ since: "2026-03-02T11:15:00Z" }, ["cccccc"]],
  [{ limit: 1 }, ["cccccc"]],
])("%j shows %j", async (question, expected) => {
  const { ask } = await prepare();
  expect(ids((await ask(question)).stdout)).toEqual(expected);
});

test("prints JSON with times that programs read", async () => {
  const { ask } = await prepare();
  const runs = JSON.parse((await ask({ json: true, limit: 1 })).stdout) as unknown;
  expect(runs).toEqual([
    {
      runId: "20260302-113000-cccccc",
      cause: { kind: "signal" },
      startedAt: "2026-03-02T11:30:00.000Z",
      finishedAt: "2026-03-02T11:30:00.200Z",
      outcome: "ok",
      message: null,
      requestedJobs: ["mail"],
      jobs: [{ jobId: "mail", outcome: "ok" }],
      transferredBytes: 3_400_000,
      transferredFiles: 12,
    },
  ]);
});

test("shows one run with its jobs and actions, found by the beginning of its id", async () => {
  const { ask } = await prepare();
  const { stdout } = await ask({ run: "20260302-11000" });
  expect(stdout).toContain("outcome  failed");
  expect(stdout).toContain(
    "job home: failed, took 100ms, waited 5s for locks\n  copy: exit code 23\n  copy: failed (exit)",
  );
  expect(stdout).toMatch(/took 50ms, exit 23\n {4}rsync -a '\/a b\/' \/dst\/\n/);
  expect(stdout).toMatch(/exit 0, 12 files, 3\.40 MB, 2 deleted/);
  expect((await ask({ run: "last" })).stdout).toContain("20260302-113000-cccccc");
});

test("prints what a run's programs wrote", async () => {
  const { ask } = await prepare();
  const { stdout } = await ask({ run: "20260302-110000-bbbbbb", output: true });
  expect(stdout).toBe("==> home / copy <==\nrsync: denied\n\n==> mail / copy <==\nsent\u001b[2J 12 files\n");
  const json = JSON.parse((await ask({ run: "last", output: true, json: true })).stdout) as {
    jobs: { actions: { output: string }[] }[];
  };
  expect(json.jobs[0]?.actions[0]?.output).toBe("sent\u001b[2J 12 files\n");
});

test("a run that is not there, or not the only one, is an error with the reason", async () => {
  const { ask } = await prepare();
  await expect(ask({ run: "1999" })).rejects.toThrow('no run has an id that begins with "1999"');
  await expect(ask({ run: "20260302" })).rejects.toThrow(/several runs begin with "20260302": \S+cccccc, \S+bbbbbb$/);
});

test.each([[{ since: "yesterday" }], [{ output: true }]])("%j is wrong usage", async (question) => {
  const { ask } = await prepare();
  await expect(ask(question)).rejects.toMatchObject({ kind: "usage" });
});

test("says so when nothing was recorded yet", async () => {
  const { ask } = await prepare({ record: false });
  expect(await ask({})).toEqual({ stdout: "", stderr: expect.stringContaining("no run is recorded yet") as string });
  expect(await ask({ json: true })).toEqual({ stdout: "[]\n", stderr: "" });
  await expect(ask({ run: "last" })).rejects.toThrow(OperatorError);
});

test("a history that is no database is an error without a stack", async () => {
  const { ask, file } = await prepare({ record: false });
  await writeFile(file, "x".repeat(10_000));
  await expect(ask({})).rejects.toThrow(`cannot read the history ${file}: file is not a database`);
});

test("the sizes of the last successful runs of a job are remembered, oldest first", async () => {
  const file = join(await makeTempDir(), "history.db");
  const events = newEvents();
  const log = createMemoryLog();
  const retention = { keepRuns: 100, keepMs: 10 ** 12 };
  const history = await openHistory({ file, retention, events, clock: systemClock, log });
  const run = (number: number, bytes: number | null, kind: "ok" | "failed") => {
    const of = { runId: `run${number}`, jobId: "home" };
    const stats = bytes === null ? null : { ...noStats, transferredBytes: bytes };
    const at = now + number * 100_000;
    const outcome = kind === "ok" ? { kind } : { kind, message: "no", actionId: null };
    events.emit("run:started", { runId: of.runId, jobs: ["home"], cause: { kind: "signal" }, at });
    events.emit("job:started", { ...of, at });
    events.emit("job:unblocked", { ...of, waitedMs: 5000, outcome: "free", at: at + 5000 });
    for (const targetId of ["one", "two"]) {
      const action = { ...of, actionId: "copy", targetId, attempt: 1, startedAt: at, at: at + 6000 };
      events.emit("action:finished", { ...action, outcome: { kind: "ok", report: report({ stats }) } });
    }
    events.emit("job:finished", { ...of, outcome, startedAt: at, at: at + 10_000 * number });
  };
  run(1, 10, "ok");
  run(2, 20, "ok");
  run(3, 30, "failed");
  run(4, null, "ok");
  await expect
    .poll(() => history.runSizes(["home"], 2).get("home"))
    .toEqual([
      { bytes: 40, durationMs: 15_000 },
      { bytes: null, durationMs: 35_000 },
    ]);
  expect(history.runSizes(["other"], 2)).toEqual(new Map([["other", []]]));
  history.close();
});

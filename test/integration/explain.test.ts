import { chmod, mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { runExplain } from "../../src/cli/commands/explain.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { Explanation } from "../../src/daemon/inspect/explain.ts";
import { historyFile } from "../../src/daemon/paths.ts";
import { formatStatus, statusPath } from "../../src/lock/lease/lock-status.ts";
import { describeOwner } from "../../src/lock/lock-owner.ts";
import { openHistory } from "../../src/store/open-history.ts";
import { newEvents } from "../support/history-samples.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TextSink } from "../support/text-sink.ts";

type Answer = Explanation & { answer: string };

/** One job with local locks only, and the history of a director that is this process. */
async function place(job: Record<string, unknown> = {}) {
  const directory = await makeTempDir();
  const path = (name: string) => join(directory, name);
  for (const name of ["run", "state", "locks"]) await mkdir(path(name));
  const file = path("explain.yaml");
  const jobs = [
    {
      ...{ id: "push", type: "local", lock_files: [{ type: "local", path: path("locks/own") }] },
      blocks_on: [{ type: "local", path: path("locks/other"), timeout: "10m" }],
      actions: [{ action: "command", id: "say", command: "/bin/true" }],
      ...job,
    },
  ];
  const directories = { pid_file_dir: path("run"), state_dir: path("state") };
  await writeFile(file, JSON.stringify({ rsync_id: "test", ...directories, jobs }));
  await chmod(file, 0o600);
  const { config } = await loadConfig(file, { env: {} });
  const explain = async (): Promise<Answer> => {
    const stdout = new TextSink();
    const context = { env: {}, stdout, stderr: new TextSink(), finish: () => undefined };
    await runExplain("push", { config: file, json: true }, context);
    return JSON.parse(stdout.text) as Answer;
  };
  const startRun = async () => {
    const events = newEvents();
    const keeping = { file: historyFile(config, {}), retention: { keepRuns: 10, keepMs: 1e9 }, log: silentLogger };
    const history = await openHistory({ ...keeping, events, clock: systemClock });
    onTestFinished(() => history.close());
    const [of, at] = [{ runId: "20260301-000000-aaaaaa", jobId: "push" }, Date.now()];
    events.emit("run:started", { runId: of.runId, jobs: ["push"], cause: { kind: "signal" }, at });
    events.emit("job:started", { ...of, at });
    return { events, of, at, flush: () => void history.query(() => 0) };
  };
  return { path, explain, startRun, config };
}

const newest = { ttl: 600, hb: 30, hold: true };

it("tells the holder's progress only if it belongs to that very lock", async () => {
  const { path, explain } = await place();
  const lock = path("locks/other");
  const token = "h".repeat(22);
  await writeFile(lock, lockContent({ ...newest, token }));
  const status = {
    ...{ token, job: "their-job", action: "copy", started: "2026-03-01T00:00:00Z", at: "2026-03-01T00:01:00Z" },
    ...{ percent: 43, bytes: 1, rate: 2, eta: null },
  };
  await writeFile(statusPath(lock), `${formatStatus(status)}\n`);
  expect((await explain()).locks[0]).toMatchObject({ state: "held", progress: { action: "copy", percent: 43 } });
  await writeFile(statusPath(lock), `${formatStatus({ ...status, token: "o".repeat(22) })}\n`);
  expect((await explain()).locks[0]).toMatchObject({ state: "held", progress: null });
});

it("sees that the owner of a lock on this machine is dead, and whose lock it was", async () => {
  const { path, explain } = await place();
  const self = await describeOwner({ inst: "x", name: "test" });
  await writeFile(path("locks/own"), lockContent({ ...newest, owner: { ...self, pid: 2 ** 22 - 1 }, job: "push" }));
  await writeFile(path("locks/other"), lockContent({ ...newest, owner: { ...self, host: "elsewhere" } }));
  const { locks } = await explain();
  expect(locks.map(({ roles, stale, leftover }) => [roles, stale?.kind, leftover])).toEqual([
    [["blocks_on"], "bounded", false],
    [["lock_files"], "owner-dead", true],
  ]);
  expect(locks[1]?.holder?.host).toBe(hostname());
});

it("tells since when a job waits, until when, and what then; the watch so far counts", async () => {
  const { path, explain, startRun } = await place({ timeout: "1h" });
  const other = path("locks/other");
  await writeFile(other, lockContent(newest));
  const { events, of, at, flush } = await startRun();
  const since = at - 5 * 60_000;
  const blocked = { ...of, place: { host: null, path: other }, owner: "7", detail: "held by their-job" };
  const before = await explain();
  events.emit("job:blocked", { ...blocked, state: "held", at: since });
  flush();
  const waits = await explain();
  expect(waits.activity).toMatchObject({
    kind: "waits",
    wait: {
      sinceAt: new Date(since).toISOString(),
      until: { at: new Date(since + 10 * 60_000).toISOString(), means: "skip", key: "timeout" },
    },
  });
  const withinMs = ({ locks }: Answer) => (locks[0]?.stale?.kind === "bounded" ? locks[0].stale.withinMs : Number.NaN);
  expect(withinMs(waits)).toBeLessThanOrEqual(withinMs(before));
  events.emit("job:unblocked", { ...of, waitedMs: 1, outcome: "free", at });
  flush();
  expect((await explain()).activity).toMatchObject({ kind: "runs" });
});

it("tells why a stale lock was left alone, and the end of the whole job when that comes first", async () => {
  const { path, explain, startRun } = await place({ timeout: "2m" });
  const other = path("locks/other");
  await writeFile(other, lockContent(newest));
  const { events, of, at, flush } = await startRun();
  const blocked = { ...of, place: { host: null, path: other }, state: "held", owner: "7", detail: "" } as const;
  events.emit("job:blocked", { ...blocked, at });
  const stale = { ...of, place: blocked.place, token: "t", owner: "", ageSeconds: 900 };
  events.emit("lock:spared", { ...stale, cause: "in-use", detail: "a writer is alive", at });
  flush();
  const waits = await explain();
  expect(waits.spared).toMatchObject({ kind: "spared", detail: "in-use: a writer is alive" });
  expect(waits.activity).toMatchObject({ wait: { until: { means: "fail", key: "jobs.timeout" } } });
});

it("says UNKNOWN, and looks at the locks all the same, when the history cannot be read", async () => {
  const { path, explain, config } = await place();
  await writeFile(historyFile(config, {}), "this is no database, and longer than a header of one would be ".repeat(50));
  await writeFile(path("locks/other"), "4711\n");
  const unknown = await explain();
  expect(unknown.activity).toMatchObject({
    kind: "unknown",
    detail: expect.stringContaining("cannot read the history"),
  });
  expect(unknown.locks).toMatchObject([
    { state: "foreign", firstLine: "4711", stale: { kind: "never" } },
    { state: "free" },
  ]);
});

import { rm, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Explanation } from "../../src/daemon/inspect/explain.ts";
import { type ConfigDraft, type Instance, makeInstance, reach, trust } from "../support/instance.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;
type Answer = Explanation & { answer: string };

async function explain(instance: Instance, job: string): Promise<Answer> {
  const { exitCode, stdout, stderr } = await instance.cli("explain", job, "--json");
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as Answer;
}

describe("rsyncdirector explain", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  /** One whose job copies slowly while it holds `lock`. */
  const holder = (lock: string, path: Instance["path"]): ConfigDraft => ({
    rsync_id: "holder",
    ssh: trust(backup),
    lock: { heartbeat: 6, operation_timeout: 6 },
    jobs: [
      {
        ...{ id: "slow", type: "remote", ...reach(backup), lock_files: [{ type: "remote", path: lock }] },
        actions: [
          { action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a", "--bwlimit=100"] },
        ],
      },
    ],
  });
  const waiter = (lock: string, other: string): ConfigDraft => ({
    rsync_id: "waiter",
    ssh: trust(backup),
    jobs: [
      {
        ...{ id: "push", type: "remote", ...reach(backup) },
        lock_files: [{ type: "remote", path: lock }],
        blocks_on: [{ type: "local", path: other, wait_time: 0.3, timeout: "10m", on_timeout: "fail" }],
        actions: [{ action: "command", id: "say", command: "/bin/echo done" }],
      },
      {
        ...{ id: "last", type: "local" },
        actions: [{ action: "command", id: "say", command: "/bin/echo done" }],
      },
    ],
  });

  it("names who holds the lock that a real director waits for, how far that is, and when the wait ends", async () => {
    const place = await makeInstance({
      jobs: [{ id: "x", type: "local", actions: [{ action: "command", id: "x", command: "/bin/true" }] }],
    });
    const [lock, other] = [place.path("locks/data"), place.path("locks/other")];
    const first = await makeInstance(({ path }) => holder(lock, path));
    const second = await makeInstance(waiter(lock, other));
    await writeFile(first.path("source/big"), Buffer.alloc(60_000_000, 7));
    const slow = await first.start();
    slow.signal("SIGHUP");
    await slow.waitForLine(is("action started"));
    const quick = await second.start();

    expect((await explain(second, "push")).answer).toMatch(
      /^does not run: its schedule starts it at .*If it were started now, it would wait for 127\.0\.0\.1:.*\/locks\/data$/,
    );
    quick.signal("SIGHUP");
    await quick.waitForLine(is("job waits for a lock"));
    // It comes with a sign of life.
    await expect
      .poll(async () => (await explain(second, "push")).locks.at(-1)?.progress?.bytes ?? 0)
      .toBeGreaterThan(0);
    const waits = await explain(second, "push");
    expect(waits).toMatchObject({ director: { state: "running", pid: quick.pid }, enabled: true, last: null });
    expect(waits.activity).toMatchObject({
      kind: "waits",
      wait: { place: { host: "127.0.0.1", path: lock }, until: null },
    });
    expect(waits.locks).toMatchObject([
      { place: { host: null, path: other }, roles: ["blocks_on"], state: "free" },
      {
        ...{ place: { host: "127.0.0.1", path: lock }, roles: ["lock_files"], state: "held", own: false },
        holder: { job: "slow", rsyncId: "holder", pid: slow.pid, state: "held", hold: true },
        progress: { job: "slow", action: "copy" },
        stale: { kind: "bounded" },
      },
    ]);
    expect(await explain(second, "last")).toMatchObject({ activity: { kind: "next", current: ["push"] } });
    expect(await explain(first, "slow")).toMatchObject({ activity: { kind: "runs" }, locks: [{ own: true }] });

    await writeFile(other, "4711\n");
    await quick.waitForLine(is("a lock of another program is in the way"));
    await expect
      .poll(async () => (await explain(second, "push")).activity)
      .toMatchObject({ kind: "waits", wait: { until: { means: "fail", key: "timeout" } } });
    const { stdout } = await second.cli("explain", "push");
    expect(stdout).toMatch(/held by another program \(first line: "4711"\)/);
    expect(stdout).toContain("held by job slow of holder");
    expect(stdout).toMatch(/progress: action copy since .*, \d+ %, .*B\/s/);
    expect(stdout).toMatch(/until .* at the latest; then the job fails \(on_timeout: fail\)/);

    slow.signal("SIGTERM");
    expect(await slow.exited).toBe(0);
    await rm(other);
    await quick.waitForLine(is("run finished"), { timeoutMs: 300_000 });
    const { stdout: history } = await second.cli("history", "last");
    expect(history).toMatch(/^Locks\n(.*\n)*.* waiting .*\n(.*\n)*.* acquired .*\n(.*\n)*.* released /m);
    const audit = JSON.parse((await second.cli("history", "--locks", "--json")).stdout) as { kind: string }[];
    const kinds = audit.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["waiting", "foreign", "waited", "acquired", "held", "released"]));
  });

  it("says UNKNOWN of a host that does not answer, and what to do", async () => {
    const port = backup.port === 1 ? 2 : 1;
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          ...{ id: "push", type: "remote", ...reach(backup), port },
          lock_files: [{ type: "remote", path: path("locks/data") }],
          actions: [{ action: "command", id: "say", command: "/bin/echo done" }],
        },
      ],
    }));
    const unknown = await explain(instance, "push");
    expect(unknown.locks).toMatchObject([
      { state: "unknown", remedy: expect.stringContaining("rsyncdirector doctor") },
    ]);
    expect(unknown.locks[0]?.detail).toContain("ECONNREFUSED");
    expect(unknown.answer).toContain("no director runs for this configuration");
    const { stdout } = await instance.cli("explain", "push");
    expect(stdout).toMatch(/UNKNOWN, which counts as locked: cannot connect to .*ECONNREFUSED/);
  });

  it("knows a director that was killed from one that runs, and refuses a job that does not exist", async () => {
    const instance = await makeInstance({
      jobs: [
        { id: "job", type: "local", actions: [{ action: "command", id: "say", command: "/bin/true" }] },
        {
          id: "never",
          enabled: false,
          type: "local",
          actions: [{ action: "command", id: "say", command: "/bin/true" }],
        },
      ],
    });
    const director = await instance.start();
    expect(await explain(instance, "job")).toMatchObject({
      director: { state: "running" },
      activity: { kind: "idle" },
    });
    expect((await explain(instance, "never")).answer).toMatch(/^is disabled/);
    director.signal("SIGKILL");
    await director.exited;
    expect(await explain(instance, "job")).toMatchObject({ director: { state: "stopped" } });
    const { exitCode, stderr } = await instance.cli("explain", "nobody");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('has no job "nobody"; it has job, never')]);
  });
});

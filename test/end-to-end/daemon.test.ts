import { readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Instance, makeInstance, processesNaming, reach, runCli, trust } from "../support/instance.ts";
import { locksIn } from "../support/lock-names.ts";
import type { DirectorProcess } from "../support/director-process.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

/** A command that tells by a file that it runs, and runs until it is stopped. */
function foreverJob(path: Instance["path"], id = "forever") {
  const script = `touch ${path("dest", id)}; echo running ${id}; while :; do sleep 1; done`;
  return { id, type: "local", actions: [{ action: "command", id: "wait", command: "/bin/sh", args: ["-c", script] }] };
}

const isOutput = (text: string) => (line: { msg: string; line?: unknown }) =>
  line.msg === "action output" && line.line === text;
const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

async function stop(director: DirectorProcess): Promise<number | NodeJS.Signals> {
  director.signal("SIGTERM");
  return director.exited;
}

describe("the daemon", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it("runs at SIGHUP, and once more after the run in progress", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "count",
          type: "local",
          actions: [
            {
              action: "command",
              id: "add",
              command: "/bin/sh",
              args: ["-c", `echo x >> ${path("dest/count")}; cat ${path("gate")}`],
            },
          ],
        },
      ],
    }));
    const { execa } = await import("execa");
    await execa("mkfifo", [instance.path("gate")]);
    const director = await instance.start();
    director.signal("SIGHUP");
    await director.waitForLine(is("action started"));
    for (let times = 0; times < 3; times += 1) director.signal("SIGHUP");
    await director.waitForLine(is("run queued"), { since: director.lines.findIndex(is("action started")) });
    await writeFile(instance.path("gate"), "");
    await director.waitForLine(is("run finished"));
    const since = director.lines.length;
    await director.waitForLine(is("action started"), { since: director.lines.findIndex(is("run finished")) });
    await writeFile(instance.path("gate"), "");
    await director.waitForLine(is("run finished"), { since });
    expect(await stop(director)).toBe(0);
    expect(await readFile(instance.path("dest/count"), "utf8")).toBe("x\nx\n");
    expect(director.lines.filter(is("run finished"))).toHaveLength(2);
  });

  it("runs at its cron times", async () => {
    const instance = await makeInstance(({ path }) => ({
      cron_schedule: "* * * * *",
      jobs: [
        {
          id: "tick",
          type: "local",
          actions: [{ action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/tick")}` }],
        },
      ],
    }));
    const director = await instance.start();
    await director.waitForLine(is("run finished"), { timeoutMs: 150_000 });
    expect(await readdir(instance.path("dest"))).toEqual(["tick"]);
    const queued = director.lines.find(is("run queued"));
    expect(queued).toMatchObject({ cause: { kind: "schedule", schedule: "* * * * *", missed: false } });
    expect(await stop(director)).toBe(0);
  }, 180_000);

  it("writes its pid file, refuses to start twice, and removes the file at its end", async () => {
    const instance = await makeInstance(({ path }) => ({ jobs: [foreverJob(path)] }));
    const director = await instance.start();
    expect(await readFile(instance.pidFile, "utf8")).toBe(`${director.pid}\n`);
    const second = await runCli(["start", "--config", instance.configFile]);
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain(`process ${director.pid} holds ${instance.pidFile}`);
    expect(await stop(director)).toBe(0);
    await expect(readFile(instance.pidFile)).rejects.toThrow("ENOENT");
  });

  it("stops a sync in the middle at SIGTERM, frees its locks here and there, and leaves no process", async () => {
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "slow",
          type: "remote",
          ...reach(backup),
          lock_files: [
            { type: "local", path: path("locks/here") },
            { type: "remote", path: path("locks/there") },
          ],
          actions: [
            { action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a", "--bwlimit=100"] },
          ],
        },
      ],
    }));
    await writeFile(instance.path("source/big"), Buffer.alloc(30_000_000, 7));
    const director = await instance.start();
    director.signal("SIGHUP");
    await director.waitForLine(is("action started"));
    const first = await readFile(instance.path("locks/here"), "utf8");
    expect(first.split("\n")[0]).toBe(String(director.pid));
    await expect.poll(() => readdir(instance.path("dest")).then((files) => files.length)).toBeGreaterThan(0);
    const before = performance.now();
    expect(await stop(director)).toBe(0);
    // sshd ends the other side as soon as it notices, which is a moment after rsync here has gone.
    await expect.poll(() => processesNaming(instance.directory)).toEqual([]);
    // Its rsync ended when it was told to: it would have been killed after twenty seconds.
    expect(performance.now() - before).toBeLessThan(20_000);
    expect(await locksIn(instance.path("locks"))).toEqual([]);
    expect(director.lines.find(is("run finished"))).toMatchObject({ outcome: "cancelled" });
    await expect(readFile(instance.path("dest/big"))).rejects.toThrow("ENOENT");
    const history = await instance.cli("history", "--json");
    expect(JSON.parse(history.stdout)).toMatchObject([{ outcome: "cancelled" }]);
  });

  it("kills a child that does not listen to SIGTERM when it is told a second time", async () => {
    const script = (path: Instance["path"]) => `trap '' TERM; echo ready; while :; do sleep 1; done; : ${path()}`;
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "deaf",
          type: "local",
          actions: [{ action: "command", id: "wait", command: "/bin/sh", args: ["-c", script(path)] }],
        },
      ],
    }));
    const director = await instance.start();
    director.signal("SIGHUP");
    await director.waitForLine(isOutput("ready"));
    director.signal("SIGTERM");
    await director.waitForLine(is("director stops"));
    const before = performance.now();
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await processesNaming(instance.directory)).toEqual([]);
    // Without the second signal it has 25 seconds, and is killed in the end all the same.
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  it("serves the original's metrics and health, and says clearly when the port is taken", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        { id: "quick", type: "local", actions: [{ action: "command", id: "true", command: "/bin/true" }] },
        foreverJob(path),
      ],
    }));
    const director = await instance.start();
    expect(await instance.scrape()).toContain('job_duration_seconds_count{job_id="quick"} 0');
    director.signal("SIGHUP");
    await director.waitForLine(isOutput("running forever"));
    const scrape = await instance.scrape();
    expect(scrape).toContain('job_duration_seconds_count{job_id="quick"} 1');
    expect(scrape).toContain('runs_completed_total{rsync_id="test"} 0');
    expect(scrape).toContain('job_aborted_for_failed_action_err_total{job_id="quick",action_id="true"} 0');
    const health = await fetch(`http://127.0.0.1:${instance.metricsPort}/healthz`);
    expect(await health.json()).toMatchObject({ status: "ok" });

    const other = await makeInstance(({ path }) => ({
      metrics: { addr: "127.0.0.1", port: instance.metricsPort, startup_retry_limit: 0 },
      jobs: [foreverJob(path)],
    }));
    const second = await runCli(["start", "--config", other.configFile]);
    expect(second.exitCode).not.toBe(0);
    expect(second.stderr).toContain(`${instance.metricsPort}`);
    expect(second.stderr).toContain("metrics.port");
    expect(second.stderr).not.toContain("    at ");
    expect(await stop(director)).toBe(0);
  });

  it.each(["RSYNCMANANGER_", "RSYNCDIRECTOR_"])(
    "runs once and exits with %sRUNONCE, without arguments",
    async (prefix) => {
      const instance = await makeInstance(({ path }) => ({
        jobs: [
          {
            id: "once",
            type: "local",
            actions: [{ action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/once")}` }],
          },
        ],
      }));
      const env = { ...process.env, [`${prefix}CONFIG`]: instance.configFile, [`${prefix}RUNONCE`]: "1" };
      const run = await runCli([], { env });
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stdout).toContain('"msg":"run finished"');
      expect(await readdir(instance.path("dest"))).toEqual(["once"]);
    },
  );

  it("is the daemon without arguments when the original's variable names a configuration", async () => {
    const instance = await makeInstance(({ path }) => ({ jobs: [foreverJob(path)] }));
    const director = await instance.start({
      env: { ...process.env, RSYNCMANANGER_CONFIG: instance.configFile },
      args: [],
    });
    expect(await stop(director)).toBe(0);
  });

  it("prints every mistake of a bad configuration and exits with 78", async () => {
    const instance = await makeInstance({ jobs: [{ id: "bad job", type: "remot", actons: [] }] });
    const start = await runCli(["start", "--config", instance.configFile]);
    expect(start.exitCode).toBe(78);
    expect(start.stderr).toMatch(/rsyncdirector\.yaml:\d+:\d+: jobs\[0\]\.type: /);
    expect(start.stderr).toContain("Did you mean actions?");
    expect(start.stderr).not.toContain("    at ");
  });
});

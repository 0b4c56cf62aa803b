import { mkdir, readdir, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { DirectorProcess } from "../support/director-process.ts";
import { makeInstance } from "../support/instance.ts";

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;
const quick = { id: "quick", type: "local", actions: [{ action: "command", id: "true", command: "/bin/true" }] };

async function runOnce(director: DirectorProcess): Promise<void> {
  director.signal("SIGHUP");
  await director.waitForLine(is("run finished"));
}

async function stop(director: DirectorProcess): Promise<void> {
  director.signal("SIGTERM");
  expect(await director.exited).toBe(0);
}

/** The lines of a scrape that tell how the jobs ended last. */
function lastSuccesses(scrape: string): string[] {
  return scrape.split("\n").filter((line) => line.startsWith("rsyncdirector_last_success_timestamp_seconds{"));
}

describe("the daemon", () => {
  it("remembers across a restart when each job last succeeded", async () => {
    const instance = await makeInstance({ jobs: [quick] });
    const first = await instance.start();
    await runOnce(first);
    const before = lastSuccesses(await instance.scrape());
    expect(before).toEqual([expect.stringMatching(/\{job_id="quick",.*\} 1\d{9}(?:\.\d+)?$/)]);
    await stop(first);
    const second = await instance.start();
    expect(lastSuccesses(await instance.scrape())).toEqual(before);
    await stop(second);
  });

  it("runs without a history that works, and says in /healthz that it is degraded", async () => {
    const instance = await makeInstance({ jobs: [quick] });
    await mkdir(instance.path("state", "history-test.db"));
    const director = await instance.start();
    const health = await fetch(`http://127.0.0.1:${instance.metricsPort}/healthz`);
    expect([health.status, await health.json()]).toEqual([200, expect.objectContaining({ status: "degraded" })]);
    await runOnce(director);
    expect(director.lines.find(is("run finished"))).toMatchObject({ outcome: "ok" });
    await stop(director);
  });

  it.each([[], ["--json"]])(
    "says at a run of the command line that it is not in the history: %s",
    async (...options) => {
      const instance = await makeInstance({ jobs: [quick] });
      await mkdir(instance.path("state", "history-test.db"));
      const { exitCode, stderr } = await instance.cli("run", "quick", ...options);
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(/^warning: this run is not in the history: .*is not a regular file$/);
      const history = await instance.cli("history");
      expect(history).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^rsyncdirector: cannot read/) });
    },
  );

  it("says nothing at a run of the command line that is written to the history at its very end", async () => {
    const instance = await makeInstance(({ path }) => {
      // In the way until the job itself takes it away.
      const command = {
        action: "command",
        id: "clear",
        command: "/bin/rmdir",
        args: [path("state", "history-test.db")],
      };
      return { jobs: [{ ...quick, actions: [command] }] };
    });
    await mkdir(instance.path("state", "history-test.db"));
    expect(await instance.cli("run", "quick")).toMatchObject({ exitCode: 0, stderr: "" });
    const { stdout } = await instance.cli("history", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: "ok" }]);
  });

  it("counts no run as a success while it only pretends", async () => {
    const instance = await makeInstance(({ path }) => {
      const sync = {
        action: "sync",
        id: "sync",
        source: path("source/"),
        dest: path("dest"),
        rsync: { archive: true },
      };
      return { jobs: [{ id: "copy", type: "local", actions: [sync] }] };
    });
    await writeFile(instance.path("source", "file"), "content");
    const director = await instance.start({ env: { ...process.env, RSYNCDIRECTOR_DRYRUN: "1" } });
    await runOnce(director);
    expect(director.lines.filter(is("job finished"))).toMatchObject([{ outcome: "skipped", reason: "dry-run" }]);
    const scrape = await instance.scrape();
    expect(lastSuccesses(scrape)).toEqual([expect.stringMatching(/ 0$/)]);
    expect(scrape).toContain('rsyncdirector_transferred_files_total{job_id="copy",target=""} 0');
    expect(scrape).toContain('rsyncdirector_job_skipped_total{job_id="copy",cause="dry-run"} 1');
    await stop(director);
    const { stdout } = await instance.cli("history", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ outcome: "skipped" }]);
    expect(await readdir(instance.path("dest"))).toEqual([]);
  });

  it("logs at its start what looks odd about the schedules", async () => {
    const instance = await makeInstance({ cron_schedule: "0 3 * * 1-5", jobs: [quick] });
    const director = await instance.start();
    const warning = await director.waitForLine(is("schedule warning"));
    expect(warning).toMatchObject({ kind: "numeric-weekday", jobs: ["quick"], schedule: "0 3 * * 1-5" });
    await stop(director);
  });
});

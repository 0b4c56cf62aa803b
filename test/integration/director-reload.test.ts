import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { copyJob, runDaemonHere } from "../support/running-daemon.ts";

const large = Buffer.alloc(3_000_000, "x");
const tooLong = 20_000;

async function logLines(file: string): Promise<{ msg: string; level: string }[]> {
  const text = await readFile(file, "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : (JSON.parse(line) as { msg: string; level: string })));
}

describe("reload", () => {
  it("takes another configuration into use: jobs, schedules, metrics, log", async () => {
    const { control, instance, configure, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "old" }), copyJob(path, { id: "stays", schedule: "0 4 * * *" })],
    }));
    await writeFile(instance.path("source/file"), "x");
    const finished = next("run:finished");
    control.run(["stays"], "anna");
    await finished;
    const { path } = instance;
    await configure({
      cron_schedule: ["30 5 * * *"],
      logging: [{ type: "file", path: path("other.log"), level: "info", format: "json" }],
      jobs: [
        copyJob(path, { id: "stays", schedule: "0 4 * * *", blocks_on: [{ type: "local", path: path("locks/x") }] }),
        copyJob(path, { id: "new" }),
      ],
    });
    const answer = await control.reload("anna");
    expect(answer).toMatchObject({ ok: true, message: "2 jobs (new: new; changed: stays; gone: old)" });
    const status = control.status();
    expect(status).toMatchObject({
      lastReload: { ok: true },
      jobs: [
        { jobId: "stays", lastRun: { outcome: "ok" }, schedules: ["0 4 * * *"] },
        { jobId: "new", lastRun: null, schedules: ["30 5 * * *"] },
      ],
    });
    expect(status.configLoadedAt).toBeGreaterThan(status.startedAt);
    expect(status.jobs[1]?.nextRunAt).toBe(control.schedule(1).find(({ jobs }) => jobs.includes("new"))?.times[0]);
    expect(control.run(["old"], "anna")).toMatchObject({ kind: "unknown" });
    const scrape = await instance.scrape();
    expect(scrape).not.toContain('job_id="old"');
    expect(scrape).toContain('rsyncdirector_next_run_timestamp_seconds{job_id="new"}');
    // Its series were made anew, and still tell when it last worked.
    expect(scrape).toMatch(/last_success_timestamp_seconds\{job_id="stays",target=""\} [1-9]/);
    const ran = next("run:finished");
    control.run(["new"], "anna");
    expect(await ran).toMatchObject({ outcome: "ok" });
    const lines = await logLines(path("other.log"));
    expect(lines.some(({ msg }) => msg === "configuration was read again")).toBe(true);
    expect(lines.filter(({ level }) => level === "debug")).toEqual([]);
    expect((await logLines(path("director.log"))).some(({ msg }) => msg === "configuration was read again")).toBe(
      false,
    );
  });

  it("refuses what is wrong, and what only a restart can change, and leaves everything as it was", async () => {
    const { control, instance, configure } = await runDaemonHere((path) => ({ jobs: [copyJob(path, { id: "a" })] }));
    const before = control.status();
    await configure({ jobs: [copyJob(instance.path, { id: "b", schedule: "every day" })] });
    const wrong = await control.reload("anna");
    expect(wrong).toMatchObject({ ok: false, message: expect.stringContaining("the configuration in use stays") });
    expect("problems" in wrong && wrong.problems).toMatchObject([
      expect.stringMatching(/rsyncdirector\.yaml:\d+:\d+: jobs\[0\]\.schedule: /),
    ]);
    await configure({ state_dir: instance.path("elsewhere"), jobs: [copyJob(instance.path, { id: "b" })] });
    const fixed = await control.reload("anna");
    expect(fixed).toMatchObject({
      ok: false,
      message: expect.stringContaining("state_dir can only be changed by a restart"),
      problems: [expect.stringContaining("state_dir")],
    });
    await configure({
      logging: [{ type: "file", path: instance.path("rsyncdirector.yaml/no.log"), level: "info", format: "json" }],
      jobs: [copyJob(instance.path, { id: "b" })],
    });
    expect(await control.reload("anna")).toMatchObject({ ok: false, problems: [expect.stringContaining("no.log")] });
    await writeFile(instance.configFile, "jobs: [");
    expect(await control.reload("anna")).toMatchObject({ ok: false });
    const after = control.status();
    expect(after.jobs).toEqual(before.jobs);
    expect(after).toMatchObject({ configLoadedAt: before.configLoadedAt, lastReload: { ok: false } });
    expect(await instance.scrape()).not.toContain('job_id="b"');
  });

  it(
    "lets a run in progress end as it began, and gives what waits the new definition",
    async () => {
      const { control, instance, configure, next } = await runDaemonHere((path) => ({
        jobs: [copyJob(path, { id: "slow", lock_files: [{ type: "local", path: path("locks/own") }] }, 1000)],
      }));
      const { path } = instance;
      await writeFile(path("source/large"), large);
      const started = next("action:started");
      const first = control.run(["slow"], "anna");
      await started;
      const second = control.run(["slow"], "bert");
      await configure({
        jobs: [
          copyJob(path, {
            id: "slow",
            actions: [{ action: "sync", id: "copy", source: `${path("source")}/`, dest: path("other"), opts: ["-a"] }],
          }),
        ],
      });
      const firstEnd = next("run:finished", ({ runId }) => first.kind === "done" && runId === first.value.runId);
      const secondEnd = next("run:finished", ({ runId }) => second.kind === "done" && runId === second.value.runId);
      // Two at once come one after the other.
      const answers = await Promise.all([control.reload("anna"), control.reload("bert")]);
      expect(answers).toMatchObject([
        { ok: true, message: "1 job (changed: slow)" },
        { ok: true, message: "1 job, nothing has changed" },
      ]);
      expect(control.status().jobs[0]).toMatchObject({ activity: "running", locks: [{ state: "held" }] });
      const firstJob = (await firstEnd).jobs[0];
      expect((await readFile(path("dest/large"))).length).toBe(large.length);
      expect(await secondEnd).toMatchObject({ outcome: "ok" });
      expect((await secondEnd).jobs[0]?.startedAt).toBeGreaterThanOrEqual(firstJob?.finishedAt ?? Infinity);
      expect((await readFile(path("other/large"))).length).toBe(large.length);
      await expect(readFile(path("locks/own"))).rejects.toThrow("ENOENT");
    },
    tooLong,
  );

  it("refuses to give a running job another name, which nothing would keep from writing beside it", async () => {
    const { control, instance, configure, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "photos" }, 1000)],
    }));
    await writeFile(instance.path("source/large"), large);
    const started = next("action:started");
    const run = control.run(["photos"], "anna");
    await started;
    await configure({ jobs: [copyJob(instance.path, { id: "pictures" })] });
    expect(await control.reload("anna")).toMatchObject({
      ok: false,
      message: expect.stringContaining("photos still runs under the old name"),
      problems: ["pictures: photos is at work on its destination: reload when that has ended"],
    });
    if (run.kind === "done") await control.cancel(run.value.runId, "anna");
    expect(await control.reload("anna")).toMatchObject({ ok: true, message: "1 job (new: pictures; gone: photos)" });
  });

  it("cancels what waits for a job that is gone", async () => {
    const { control, instance, configure, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "first" }, 1000), copyJob(path, { id: "gone" })],
    }));
    await writeFile(instance.path("source/large"), large);
    const started = next("action:started");
    control.run([], "anna");
    await started;
    await configure({ jobs: [copyJob(instance.path, { id: "first" })] });
    const finished = next("run:finished");
    expect(await control.reload("anna")).toMatchObject({ ok: true });
    expect(await finished).toMatchObject({
      outcome: "cancelled",
      jobs: [{ outcome: { kind: "ok" } }, { jobId: "gone", outcome: { kind: "cancelled" } }],
    });
  });

  it("goes on watching a job that is as it was, and syncs one that leads elsewhere completely", async () => {
    const { control, instance, configure, next } = await runDaemonHere((path) => ({
      jobs: [copyJob(path, { id: "watched", watch: { debounce: "100ms", max_delay: "1s" } })],
    }));
    const { path } = instance;
    const watch = { debounce: "100ms", max_delay: "1s" };
    await writeFile(path("source/first"), "1");
    await next("run:finished", ({ outcome }) => outcome === "ok");
    await configure({ jobs: [copyJob(path, { id: "watched", watch, warn_after: "1h" })] });
    const carried = next("run:finished");
    expect(await control.reload("anna")).toMatchObject({ ok: true, message: "1 job (changed: watched)" });
    const batch = next("watch:batch");
    await writeFile(path("source/second"), "2");
    expect(await batch).toMatchObject({ files: 1, reason: null });
    expect(await carried).toMatchObject({ outcome: "ok", cause: { kind: "watch", path: path("source/second") } });
    await configure({
      jobs: [
        copyJob(path, {
          id: "watched",
          watch,
          actions: [{ action: "sync", id: "copy", source: `${path("source")}/`, dest: path("other"), opts: ["-a"] }],
        }),
      ],
    });
    const complete = next("run:finished");
    expect(await control.reload("anna")).toMatchObject({ ok: true });
    expect(await complete).toMatchObject({ outcome: "ok" });
    expect(await readFile(path("other/first"), "utf8")).toBe("1");
    // It is watched there, too.
    const third = next("run:finished", ({ outcome }) => outcome === "ok");
    await writeFile(path("source/third"), "3");
    await third;
    expect(await readFile(path("other/third"), "utf8")).toBe("3");
    // And no more once it is gone.
    await configure({ jobs: [copyJob(path, { id: "other" })] });
    expect(await control.reload("anna")).toMatchObject({ ok: true });
    expect(await instance.scrape()).not.toContain('rsyncdirector_watch_directories{job_id="watched"}');
    expect(control.status().jobs).toMatchObject([{ jobId: "other", watch: null }]);
  });
});

import { chmod, readFile, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, it, vi } from "vitest";
import { parse, stringify } from "yaml";
import { startCommand } from "../support/command-process.ts";
import { builtProgram } from "../support/director-process.ts";
import { type ConfigDraft, type Instance, makeInstance } from "../support/instance.ts";

/** A job that says that it has begun and goes on when somebody writes into the pipe. */
const patient = (path: Instance["path"]): ConfigDraft => ({
  ...{ id: "patient", type: "local", lock_files: [{ type: "local", path: path("locks/patient") }] },
  actions: [
    {
      ...{ action: "command", id: "wait" },
      command: `/bin/sh -c 'echo begun; read word < ${path("gate")}; echo "got $word"'`,
    },
  ],
});
const quick: ConfigDraft = {
  id: "quick",
  type: "local",
  actions: [{ action: "command", id: "say", command: "/bin/echo hello" }],
};
const failing: ConfigDraft = {
  id: "failing",
  type: "local",
  actions: [{ action: "command", id: "fail", command: "/bin/false" }],
};

async function prepare(jobs: (path: Instance["path"]) => ConfigDraft[] = (path) => [patient(path), quick, failing]) {
  const instance = await makeInstance(({ path }) => ({ jobs: jobs(path) }));
  await execa("mkfifo", [instance.path("gate")]);
  const open = (...args: string[]) => startCommand([...args, "--config", instance.configFile]);
  const status = async () => {
    const { exitCode, stdout, stderr } = await instance.cli("status", "--json");
    expect(stdout, stderr).not.toBe("");
    return { exitCode, report: JSON.parse(stdout) as Status };
  };
  const openGate = (word: string) => writeFile(instance.path("gate"), `${word}\n`);
  return { instance, open, status, openGate };
}

interface Status {
  director: string;
  jobs: { jobId: string; activity: string; paused: { reason: string } | null; freshness: string }[];
  runs: { runId: string; state: string; jobs: string[] }[];
}

// Every command is a process of its own, and some wait for one that does not answer.
vi.setConfig({ testTimeout: 180_000 });

describe("status", () => {
  it("tells a director that runs from one that was stopped, and from a run in the foreground", async () => {
    const { instance, status, open, openGate } = await prepare();
    expect((await status()).exitCode).toBe(1);
    const director = await instance.start();
    expect(await status()).toMatchObject({ exitCode: 0, report: { director: "running" } });
    director.signal("SIGTERM");
    await director.exited;
    const stopped = await instance.cli("status");
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stdout).toContain(
      "no director of test is running here: systemctl start rsyncdirector@rsyncdirector",
    );

    const run = open("run", "patient");
    await run.waitFor(/\| begun/);
    expect(await status()).toMatchObject({
      exitCode: 1,
      report: { director: "deaf", jobs: [{ jobId: "patient", activity: "running" }, {}, {}] },
    });
    const refused = await instance.cli("cancel");
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("takes no commands") });
    await openGate("word");
    expect(await run.exited).toBe(0);
  });

  it("says UNKNOWN of a director that does not answer, and does not take it for a stopped one", async () => {
    const { instance } = await prepare();
    const director = await instance.start();
    await instance.cli("run", "quick");
    director.signal("SIGSTOP");
    const [status, check, pause] = await Promise.all([
      instance.cli("status"),
      instance.cli("check", "quick"),
      instance.cli("pause", "quick"),
    ]);
    director.signal("SIGCONT");
    expect(status.exitCode).toBe(75);
    expect(status.stdout).toContain(
      "UNKNOWN whether a director of test is running: it did not answer within 10 seconds",
    );
    expect(status.stdout).toMatch(/^quick +fresh .* ok \S+ ago/m);
    // The history is evidence enough for the age of a copy.
    expect(check).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("UNKNOWN whether a director is running"),
    });
    expect(pause).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("UNKNOWN whether a director") });
  });

  it("says UNKNOWN where its socket may not be used", async (context) => {
    if (process.getuid?.() !== 0) context.skip("only root can become somebody else");
    const { instance } = await prepare();
    await instance.start();
    for (const path of [instance.directory, instance.path("state"), instance.path("run")]) await chmod(path, 0o755);
    await chmod(instance.configFile, 0o644);
    const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    const { exitCode, stdout, stderr } = await execa(
      "setpriv",
      [...nobody, process.execPath, builtProgram, "status", "--config", instance.configFile],
      { reject: false },
    );
    expect(exitCode, stderr).toBe(75);
    expect(stdout).toContain("this user may not use its socket");
    expect(stdout).not.toContain("no director of");
  });
});

describe("a run that is handed over", () => {
  it("is followed like one in the foreground, with its exit status", async () => {
    const { instance } = await prepare();
    await instance.start();
    const good = await instance.cli("run", "quick");
    expect(good).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/^run \S+ of the director of test/) });
    expect(good.stdout).toMatch(/quick {2}\| hello\n(.*\n)*.*run \S+: ok in .*\n {2}quick: ok/);
    const bad = await instance.cli("run", "failing", "--json");
    expect(bad.exitCode).toBe(1);
    expect(JSON.parse(bad.stdout)).toMatchObject({
      outcome: "failed",
      startedAt: expect.stringMatching(/^20\d\d-.*Z$/),
    });
    const { stderr, exitCode } = await instance.cli("run", "nobody");
    expect([exitCode, stderr]).toEqual([
      78,
      expect.stringContaining("the running director has patient, quick, failing"),
    ]);
  });

  it("goes on when nobody follows it any more, and can be cancelled, which frees its locks", async () => {
    const { instance, open, status } = await prepare();
    await instance.start();
    const run = open("run", "patient", "quick");
    await run.waitFor(/\| begun/);
    run.signal("SIGINT");
    expect(await run.exited).toBe(75);
    expect(run.stderr()).toMatch(/the run goes on; to cancel it: rsyncdirector cancel \S+\n$/);
    expect((await status()).report.runs).toMatchObject([{ state: "running", jobs: ["patient", "quick"] }]);
    await expect(readFile(instance.path("locks/patient"), "utf8")).resolves.not.toBe("");
    const cancelled = await instance.cli("cancel", "patient");
    expect(cancelled).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^run \S+ \(patient, quick\) is cancelled/),
    });
    await expect(readFile(instance.path("locks/patient"))).rejects.toThrow("ENOENT");
    expect((await instance.cli("cancel")).stderr).toContain("there is no run to cancel");
    expect((await instance.cli("history", "last", "--job", "patient", "--json")).stdout).toContain(
      '"outcome": "cancelled"',
    );
  });

  it("needs nobody to follow it with --detach, which needs a director", async () => {
    const { instance, openGate, open } = await prepare();
    expect((await instance.cli("run", "quick", "--detach")).stderr).toContain("no director of test is running");
    const director = await instance.start();
    const { stdout: runId, exitCode } = await instance.cli("run", "patient", "--detach");
    expect(exitCode).toBe(0);
    await director.waitForLine(({ msg }) => msg === "action started");
    const logs = open("logs", "-f", "patient");
    // What it wrote before anybody listened is told too.
    await logs.waitFor(/patient {2}\| begun/);
    await openGate("tell");
    await logs.waitFor(/patient {2}\| got tell(.*\n)+.*patient {2}ok/);
    logs.signal("SIGINT");
    expect(await logs.exited).toBe(0);
    expect((await instance.cli("logs", "patient")).stdout).toContain(`run ${runId.trim()} of`);
  });

  it("is UNKNOWN when its director is killed", async () => {
    const { instance, open } = await prepare();
    const director = await instance.start();
    const run = open("run", "patient");
    await run.waitFor(/\| begun/);
    director.signal("SIGKILL");
    expect(await run.exited).toBe(1);
    expect(run.stderr()).toMatch(/lost during run \S+: .*UNKNOWN how it ended: rsyncdirector history/);
  });

  it("is cancelled, and says so, when its director is stopped", async () => {
    const { instance, open } = await prepare();
    const director = await instance.start();
    const run = open("run", "patient");
    await run.waitFor(/\| begun/);
    director.signal("SIGTERM");
    expect(await run.exited).toBe(1);
    expect(run.stdout()).toMatch(/run \S+: cancelled in/);
  });
});

describe("telling a director", () => {
  it("pauses a job over a restart, and resumes it", async () => {
    const { instance, status } = await prepare();
    const director = await instance.start();
    const paused = await instance.cli("pause", "quick", "--for", "2h", "--reason", "new disk");
    expect(paused).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("(2h)") });
    director.signal("SIGTERM");
    await director.exited;
    expect((await status()).report.jobs[1]).toMatchObject({ jobId: "quick", paused: { reason: "new disk" } });
    await instance.start();
    expect((await status()).report.jobs[1]).toMatchObject({ paused: { reason: "new disk" } });
    expect(await instance.cli("run", "quick")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("new disk"),
    });
    expect((await instance.cli("explain", "quick")).stdout).toMatch(/^quick: is paused/);
    expect((await instance.cli("resume", "quick")).stdout).toBe("quick is not paused any more");
    expect((await instance.cli("run", "quick")).exitCode).toBe(0);
    expect((await instance.cli("pause", "quick", "--for", "soon")).exitCode).toBe(78);
  });

  it("reloads a good configuration and refuses a bad one, also one that is no YAML any more", async () => {
    const { instance, status } = await prepare();
    await instance.start();
    const text = await readFile(instance.configFile, "utf8");
    await writeFile(instance.configFile, `${text}  - id: [\n`);
    const refused = await instance.cli("reload");
    expect(refused).toMatchObject({ exitCode: 78, stderr: expect.stringContaining(`${instance.configFile}:`) });
    const shown = await instance.cli("status");
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toContain("the one before is in use");
    expect(shown.stderr).toContain("a reload would be refused");
    const config = parse(text) as { jobs: unknown[] };
    await writeFile(instance.configFile, stringify({ ...config, jobs: [...config.jobs, { ...quick, id: "added" }] }));
    expect(await instance.cli("reload")).toMatchObject({ exitCode: 0 });
    expect((await status()).report.jobs.map(({ jobId }) => jobId)).toContain("added");
    expect((await instance.cli("run", "added")).exitCode).toBe(0);
  });

  it("checks ages as a monitoring plugin, from the director and without one", async () => {
    const { instance } = await prepare((path) => [patient(path), quick]);
    const director = await instance.start();
    await instance.cli("run", "quick");
    const young = await instance.cli("check", "quick");
    expect(young.stdout).toMatch(
      /^RSYNCDIRECTOR OK - test: quick last succeeded \S+ ago \| 'quick'=\d+s;93600;180000;0$/,
    );
    expect(young.exitCode).toBe(0);
    expect(await instance.cli("check")).toMatchObject({
      exitCode: 2,
      stdout: expect.stringContaining("patient has never"),
    });
    director.signal("SIGTERM");
    await director.exited;
    const offline = await instance.cli("check", "quick", "--warn", "0s", "--crit", "1d");
    expect(offline).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("no director is running") });
    for (const args of [
      ["check", "nobody"],
      ["check", "--warn", "soon"],
      ["check", "--nonsense"],
    ]) {
      expect((await instance.cli(...args)).exitCode, args.join(" ")).toBe(3);
    }
  });
});

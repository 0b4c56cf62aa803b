import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunResult } from "../../src/model/run.ts";
import { makeInstance, reach, trust } from "../support/instance.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

describe("a run of the built program", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  it("copies on this host, to another and from another, with commands in between", async () => {
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "here",
          type: "local",
          actions: [
            { action: "sync", id: "copy", source: path("source/"), dest: path("dest/here"), opts: ["-a"] },
            {
              action: "command",
              id: "stamp",
              command: "/bin/sh",
              args: ["-c", `echo $RSYNCDIRECTOR_JOB > ${path("dest/here/stamp")}`],
            },
          ],
        },
        {
          id: "there",
          type: "remote",
          ...reach(backup),
          syncs: [{ source: path("dest/here/"), dest: path("dest/there"), opts: ["-av"] }],
        },
        {
          id: "back",
          type: "remote",
          direction: "pull",
          ...reach(backup),
          actions: [
            {
              action: "sync",
              id: "pull",
              source: path("dest/there/"),
              dest: path("dest/back"),
              rsync: { archive: true },
            },
          ],
        },
      ],
    }));
    await writeFile(instance.path("source/file"), "precious");
    const run = await instance.cli("run", "--json");
    expect(run.stderr).toBe("");
    expect(run.exitCode).toBe(0);
    const result = JSON.parse(run.stdout) as RunResult;
    expect(result.jobs.map((job) => [job.jobId, job.outcome.kind])).toEqual([
      ["here", "ok"],
      ["there", "ok"],
      ["back", "ok"],
    ]);
    expect(await readFile(instance.path("dest/back/file"), "utf8")).toBe("precious");
    expect(await readFile(instance.path("dest/back/stamp"), "utf8")).toBe("here\n");
  });

  it("ends a job at the action that fails, runs the next job, and says so by its exit status", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "broken",
          type: "local",
          actions: [
            { action: "command", id: "fail", command: "/bin/sh", args: ["-c", "echo the disk is gone >&2; exit 3"] },
            { action: "command", id: "never", command: "/usr/bin/touch", args: [path("dest/never")] },
          ],
        },
        {
          id: "sound",
          type: "local",
          actions: [{ action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/sound")}` }],
        },
      ],
    }));
    const run = await instance.cli("run");
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain("broken: FAILED: fail:");
    expect(run.stdout).toContain("the disk is gone");
    await expect(readFile(instance.path("dest/never"))).rejects.toThrow("ENOENT");
    expect(await readFile(instance.path("dest/sound"), "utf8")).toBe("");
    const history = await instance.cli("history", "--failed");
    expect(history.stdout).toContain("failed");
  });

  it("runs the enabled jobs when none is named, and nothing when there are none", async () => {
    const draft = (enabled: boolean) => ({
      jobs: [
        { id: "on", type: "local", enabled, actions: [{ action: "command", id: "true", command: "/bin/true" }] },
        { id: "off", type: "local", enabled: false, actions: [{ action: "command", id: "x", command: "/bin/false" }] },
      ],
    });
    const run = await (await makeInstance(draft(true))).cli("run", "--json");
    expect(run.exitCode).toBe(0);
    expect((JSON.parse(run.stdout) as RunResult).jobs.map((job) => job.jobId)).toEqual(["on"]);
    const nothing = await (await makeInstance(draft(false))).cli("run");
    expect(nothing.exitCode).toBe(1);
    expect(nothing.stderr).toContain("every job is disabled");
  });

  it("changes nothing in a dry run and prints the exact command", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          id: "mirror",
          type: "local",
          lock_files: [{ type: "local", path: path("locks/never") }],
          actions: [
            { action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a --delete"] },
            { action: "command", id: "touch", command: `/usr/bin/touch ${path("dest/touched")}` },
          ],
        },
      ],
    }));
    await writeFile(instance.path("source/new"), "x");
    await writeFile(instance.path("dest/old"), "x");
    const run = await instance.cli("run", "--dry-run");
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toMatch(/would run rsync -a --delete .* -- \S+source\/ \S+dest\//);
    expect(run.stdout).toContain("*deleting   old");
    expect(run.stdout).toContain("would run /usr/bin/touch");
    expect(await readFile(instance.path("dest/old"), "utf8")).toBe("x");
    await expect(readFile(instance.path("dest/new"))).rejects.toThrow("ENOENT");
    await expect(readFile(instance.path("dest/touched"))).rejects.toThrow("ENOENT");
    await expect(readFile(instance.pidFile)).rejects.toThrow("ENOENT");
  });

  it("carries hostile names as they are", async () => {
    const names = ["with space", "quote'\"s", "$(touch owned)", "-rf", "a:b", "new\nline", "ümläut", "*?[x]"];
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(backup),
      jobs: [
        {
          id: "hostile",
          type: "remote",
          ...reach(backup),
          actions: names
            .filter((name) => !name.includes("\n"))
            .map((name, index) => ({
              action: "sync",
              id: `sync-${index}`,
              source: path("source", name, "/"),
              dest: path("dest", name),
              rsync: { archive: true },
            })),
        },
      ],
    }));
    for (const name of names) {
      await mkdir(instance.path("source", name));
      for (const inner of names) await writeFile(instance.path("source", name, inner), inner);
    }
    const run = await instance.cli("run");
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    for (const name of names.filter((entry) => !entry.includes("\n"))) {
      for (const inner of names) expect(await readFile(instance.path("dest", name, inner), "utf8")).toBe(inner);
    }
    await expect(readFile(instance.path("owned"))).rejects.toThrow("ENOENT");
  });

  it("refuses a host whose key has changed, names the file, and copies nothing", async () => {
    const impostor = await startSshd();
    const instance = await makeInstance(({ path }) => ({
      ssh: trust(impostor),
      jobs: [
        {
          id: "push",
          type: "remote",
          ...reach(impostor),
          lock_files: [{ type: "remote", path: path("locks/push") }],
          actions: [{ action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts: ["-a"] }],
        },
      ],
    }));
    await writeFile(instance.path("source/file"), "precious");
    // What is on file is the other host's key, under this host's name.
    const known = await readFile(backup.knownHostsFile, "utf8");
    await writeFile(impostor.knownHostsFile, known.replace(String(backup.port), String(impostor.port)));
    const run = await instance.cli("run");
    await impostor.stop();
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toContain(impostor.knownHostsFile);
    await expect(readFile(instance.path("dest/file"))).rejects.toThrow("ENOENT");
  });
});

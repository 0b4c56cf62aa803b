import { access, readdir, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DirectorProcess, LogLine } from "../support/director-process.ts";
import { type Instance, makeInstance, processesNaming } from "../support/instance.ts";
import { waitUntil } from "../support/process-state.ts";
import { programsWithout } from "../support/program-directory.ts";
import { loginsAt, mastersIn } from "../support/shared-connections.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

describe("a director whose jobs go to another host", () => {
  let backup: TestSshd;
  beforeAll(async () => void (backup = await startSshd()));
  afterAll(() => backup.stop());

  /** Three syncs to one host, without any locks. */
  const makePushing = (ssh: object = {}) =>
    makeInstance(({ path }) => ({
      ssh: { known_hosts_file: backup.knownHostsFile, ...ssh },
      jobs: [
        {
          ...{ id: "push", type: "remote", host: backup.host, port: backup.port, user: backup.user },
          private_ssh_key: backup.identityFile,
          actions: [1, 2, 3].map((number) => ({
            ...{ action: "sync", id: `sync-${number}`, source: `${path("source")}/`, dest: path("dest") },
            opts: ["-a"],
          })),
        },
      ],
    }));

  const finished = (line: LogLine) => line.msg === "run finished";
  async function runOnce(director: DirectorProcess): Promise<void> {
    const since = director.lines.length;
    director.signal("SIGHUP");
    expect(await director.waitForLine(finished, { since })).toMatchObject({ outcome: "ok" });
  }
  async function stop(director: DirectorProcess, instance: Instance): Promise<void> {
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await processesNaming(instance.directory)).toEqual([]);
  }

  it("logs in once for all of its runs, and leaves nothing behind", async () => {
    const instance = await makePushing();
    await writeFile(instance.path("source/file"), "content");
    const before = await loginsAt(backup);
    const director = await instance.start();
    await runOnce(director);
    await runOnce(director);
    expect((await loginsAt(backup)) - before).toBe(1);
    expect(await readdir(instance.path("dest"))).toEqual(["file"]);
    await stop(director, instance);
    await expect(access(instance.path("run", "rsyncdirector-test.ssh"))).rejects.toThrow("ENOENT");
  });

  it("logs in for every sync where it is told to", async () => {
    const instance = await makePushing({ share: false });
    const before = await loginsAt(backup);
    const director = await instance.start();
    await runOnce(director);
    expect((await loginsAt(backup)) - before).toBe(3);
    await stop(director, instance);
  });

  it("does not leave its connection behind when it is killed", async () => {
    const instance = await makePushing();
    const director = await instance.start();
    await runOnce(director);
    expect(mastersIn(instance.directory)).toHaveLength(1);
    director.signal("SIGKILL");
    await director.exited;
    await waitUntil("the master has ended", () => mastersIn(instance.directory).length === 0);
    const next = await instance.start();
    await runOnce(next);
    await stop(next, instance);
  });

  it("has what it left ended by its next life where nothing ends it with it (no setpriv)", async () => {
    const instance = await makePushing();
    const PATH = await programsWithout("setpriv");
    const director = await instance.start({ env: { ...process.env, PATH } });
    await runOnce(director);
    director.signal("SIGKILL");
    await director.exited;
    const left = mastersIn(instance.directory);
    expect(left).toHaveLength(1);
    const next = await instance.start();
    expect(next.lines.map((line) => line.msg)).toContain("ended an ssh master of an earlier life");
    await waitUntil("the master has ended", () => mastersIn(instance.directory).length === 0);
    await runOnce(next);
    expect(mastersIn(instance.directory)).not.toEqual(left);
    await stop(next, instance);
  });
});

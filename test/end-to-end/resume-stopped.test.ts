import { existsSync } from "node:fs";
import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writePauses } from "../../src/daemon/control/pauses-file.ts";
import { makeInstance } from "../support/instance.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

const jobOf = (id: string, script: string) => ({
  ...{ id, type: "local" },
  actions: [{ action: "command", id: "work", command: script, shell: true }],
});
const pause = { since: Date.now(), until: null, by: "anna", reason: null };

it("a pause ends without a director that could be asked, and others stay", async () => {
  const instance = await makeInstance(({ path }) => ({
    jobs: [jobOf("a", `echo ran >> ${path("ran")}`), jobOf("b", ":")],
  }));
  const file = instance.path("state", "pauses-test.json");
  writePauses(file, new Map([...["a", "b"].map((id) => [id, pause] as const)]));
  const owner = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : await stat(file);
  await chown(file, owner.uid, owner.gid);
  expect((await instance.cli("run", "a")).stdout).toContain("resume it with: rsyncdirector resume a");

  expect(await instance.cli("resume", "a")).toEqual({ exitCode: 0, stdout: "a is not paused any more", stderr: "" });
  expect(await stat(file)).toMatchObject({ uid: owner.uid, gid: owner.gid, mode: 0o100640 });
  expect((await instance.cli("run", "a")).exitCode).toBe(0);
  expect((await instance.cli("run", "b")).stdout).toContain("paused by anna");
  expect((await instance.cli("resume", "a")).stdout).toBe("a was not paused");
  expect((await instance.cli("resume", "b", "--json")).stdout).toContain('"wasPaused": true');
  await expect(stat(file)).rejects.toThrow("ENOENT");
});

it("the pauses of a run in the foreground are left alone, as are those that cannot be read and jobs that there are not", async () => {
  const instance = await makeInstance(({ path }) => ({
    jobs: [jobOf("a", `: >${path("began")}; until [ -e ${path("go")} ]; do sleep 0.1; done`)],
  }));
  expect(await instance.cli("resume", "c")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('no job "c"; it has a'),
  });
  const run = instance.cli("run", "a");
  await expect.poll(() => existsSync(instance.path("began"))).toBe(true);
  expect((await instance.cli("resume", "a")).stderr).toContain("takes no commands");
  await writeFile(instance.path("go"), "");
  expect(await run).toMatchObject({ exitCode: 0 });
  await writeFile(instance.path("state", "pauses-test.json"), "{");
  expect(await instance.cli("resume", "a")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("which jobs are paused cannot be told"),
  });
});

it("a pause goes on that cannot be taken out of its file", async (context) => {
  const disk = await mountTmpfs("size=64k");
  if ("why" in disk) return context.skip(disk.why);
  const instance = await makeInstance({ state_dir: disk.directory, jobs: [jobOf("a", ":")] });
  writePauses(join(disk.directory, "pauses-test.json"), new Map([["a", pause]]));
  await disk.remount("ro");
  expect(await instance.cli("resume", "a")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/pauses-test\.json cannot be written, so that the pause goes on: EROFS/),
  });
  await disk.remount("rw");
  expect((await instance.cli("resume", "a")).exitCode).toBe(0);
});

import { readFile, stat, symlink, writeFile } from "node:fs/promises";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { claimPidFile } from "../../../src/daemon/pid-file.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("pid file", () => {
  it("holds the pid while the process runs and is gone after release", async () => {
    const path = join(await makeTempDir(), "new", "rsyncdirector-x.pid");
    const pidFile = await claimPidFile(path, process.pid);
    expect(await readFile(path, "utf8")).toBe(`${process.pid}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    await pidFile.release();
    await expect(stat(path)).rejects.toThrow("ENOENT");
    await (await claimPidFile(path, process.pid)).release();
  });

  it("lets exactly one of many claimants have it", async () => {
    const path = join(await makeTempDir(), "x.pid");
    const claims = await Promise.allSettled(Array.from({ length: 20 }, () => claimPidFile(path, process.pid)));
    const won = claims.filter((claim) => claim.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const claim of claims)
      if (claim.status === "rejected") expect(String(claim.reason)).toContain("already running");
    await won[0]?.value.release();
  });

  it("refuses the second by whatever name it reaches the directory", async () => {
    const directory = await makeTempDir();
    const other = join(await makeTempDir(), "link");
    await symlink(directory, other);
    const first = await claimPidFile(join(directory, "x.pid"), process.pid);
    await expect(claimPidFile(join(other, "x.pid"), process.pid)).rejects.toThrow(`process ${process.pid} holds`);
    await first.release();
  });

  it("takes over what a killed process left, also when a stranger has its pid now", async () => {
    const path = join(await makeTempDir(), "x.pid");
    for (const left of ["1\n", "999999999\n", "", "garbage"]) {
      await writeFile(path, left);
      const pidFile = await claimPidFile(path, process.pid);
      expect(await readFile(path, "utf8")).toBe(`${process.pid}\n`);
      await pidFile.release();
    }
  });

  it("is not kept from its place by a process that only has the name, or by another instance of ours", async () => {
    const directory = await makeTempDir();
    const path = join(directory, "x.pid");
    await writeFile(join(directory, "rsyncdirector"), "");
    for (const [name, refused] of [
      ["vim", false],
      ["rsyncdirector", false],
      ["python3", true],
    ] as const) {
      const script = `exec -a ${name} tail -f ${join(directory, "rsyncdirector")}`;
      const other = spawn("bash", ["-c", script]);
      onTestFinished(() => void other.kill("SIGKILL"));
      await expect.poll(() => readFile(`/proc/${other.pid}/cmdline`, "utf8")).toContain("-f");
      await expect.poll(() => readFile(`/proc/${other.pid}/comm`, "utf8")).toBe("tail\n");
      await writeFile(path, `${other.pid}\n`);
      if (refused) await expect(claimPidFile(path, process.pid)).rejects.toThrow("already running");
      else await (await claimPidFile(path, process.pid)).release();
    }
  });

  it("does not follow a symlink in its place", async () => {
    const directory = await makeTempDir();
    await writeFile(join(directory, "victim"), "precious");
    await symlink(join(directory, "victim"), join(directory, "x.pid"));
    await expect(claimPidFile(join(directory, "x.pid"), process.pid)).rejects.toThrow("not a regular file");
    expect(await readFile(join(directory, "victim"), "utf8")).toBe("precious");
  });

  it("does not remove a pid file that is not its own any more", async () => {
    const path = join(await makeTempDir(), "x.pid");
    const pidFile = await claimPidFile(path, process.pid);
    await writeFile(path, "1\n");
    await pidFile.release();
    expect(await readFile(path, "utf8")).toBe("1\n");
  });
});

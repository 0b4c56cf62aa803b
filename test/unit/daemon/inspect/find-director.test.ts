import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findDirector } from "../../../../src/daemon/inspect/find-director.ts";
import { claimPidFile } from "../../../../src/daemon/pid-file.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

it("finds a director for as long as it holds its pid file, and does not disturb it", async () => {
  const path = join(await makeTempDir(), "x.pid");
  expect(await findDirector(path)).toEqual({ state: "stopped" });
  const held = await claimPidFile(path, process.pid);
  for (let look = 0; look < 3; look += 1) {
    expect(await findDirector(path)).toEqual({ state: "running", pid: process.pid });
  }
  await held.release();
  expect(await findDirector(path)).toEqual({ state: "stopped" });
});

it("is not misled by a pid file that was left behind, even with the pid of a living process", async () => {
  const path = join(await makeTempDir(), "x.pid");
  await writeFile(path, `${process.ppid}\n`);
  expect(await findDirector(path)).toEqual({ state: "stopped" });
});

it("knows that nothing runs where there is no directory, and nothing of a directory that is none", async () => {
  const directory = await makeTempDir();
  expect(await findDirector(join(directory, "nowhere", "x.pid"))).toEqual({ state: "stopped" });
  const loop = join(directory, "file");
  await mkdir(join(directory, "sub"));
  await writeFile(loop, "");
  expect(await findDirector(join(loop, "x", "x.pid"))).toMatchObject({ state: "unknown" });
});

import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readInstanceNames } from "../../../src/config/read-instance.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function read(text: string, env: Record<string, string> = {}) {
  const file = join(await makeTempDir(), "config.yaml");
  await writeFile(file, text, { mode: 0o600 });
  return readInstanceNames(file, { env: { HOME: "/home/me", ...env } });
}

it.each([
  ["a file without mistakes", "rsync_id: nas\npid_file_dir: /run/x\njobs: []\n", "/run/x"],
  ["no directory", "rsync_id: nas\njobs: []\n", undefined],
  ["a mistake in a job", "rsync_id: nas\njobs: [{ id: 3, nonsense: true }]\n", undefined],
  ["a mistake of syntax further down", "rsync_id: nas\npid_file_dir: ~/run\njobs:\n  - id: [\n", "/home/me/run"],
  ["a key that comes twice", "rsync_id: nas\njobs: []\njobs: []\n", undefined],
  ["an alias", "x-dir: &dir /run/z\nrsync_id: nas\npid_file_dir: *dir\n", "/run/z"],
  ["a value on a line of its own", "rsync_id:\n  nas\npid_file_dir:\n  # here\n  /run/w\njobs: []\n", "/run/w"],
  ["a block of braces", "{ rsync_id: nas, pid_file_dir: /run/b }\n", "/run/b"],
  ["quoted keys", "rsync_id: nas\n'pid_file_dir': /run/q\n", "/run/q"],
  ["a key of a job", "rsync_id: nas\njobs:\n  - pid_file_dir: /run/no\n", undefined],
  ["variables", "rsync_id: ${NAME}\npid_file_dir: ${DIR:-/run/y}\njobs: []\n", "/run/y"],
])("reads what names the instance from %s", async (_what, text, pidFileDir) => {
  expect(await read(text, { NAME: "nas" })).toEqual({ rsyncId: "nas", pidFileDir });
});

it.each([
  ["no name", "jobs: []\n"],
  ["a name that is none", "rsync_id: ../nas\n"],
  ["a variable that is not set", "rsync_id: ${NAME}\n"],
  ["a list", "- rsync_id: nas\n"],
  ["nothing", ""],
])("does not guess from %s", async (_what, text) => {
  expect(await read(text)).toBeUndefined();
});

it("trusts a file no more than the director does", async () => {
  const file = join(await makeTempDir(), "config.yaml");
  await writeFile(file, "rsync_id: nas\n");
  await chmod(file, 0o666);
  await expect(readInstanceNames(file, { env: {} })).rejects.toThrow("others may write to it");
});

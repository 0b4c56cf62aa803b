import { execFileSync } from "node:child_process";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { readConfigFile } from "../../../src/config/read-file.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const content = "rsync_id: x\n";

async function fileOf(mode: number, text = content): Promise<string> {
  const file = join(await makeTempDir(), "config.yaml");
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

const uid = process.geteuid?.();

describe("readConfigFile", () => {
  test("reads a file of this user", async () => {
    const file = await fileOf(0o600);
    expect(await readConfigFile(file, uid)).toEqual({ file, text: content, worldReadable: false });
  });

  test.each([0o620, 0o602, 0o666])("refuses a file that others may write to (%i)", async (mode) => {
    await expect(readConfigFile(await fileOf(mode), uid)).rejects.toThrow(
      /others may write to it \(mode 06\d\d\): run chmod go-w/,
    );
  });

  test("refuses a file of another user, unless that is root", async () => {
    const file = await fileOf(0o600);
    const refused = readConfigFile(file, (uid ?? 0) + 1);
    if (uid === 0) await expect(refused).resolves.toMatchObject({ text: content });
    else await expect(refused).rejects.toThrow(/it must belong to root or to the user that runs rsyncdirector/);
  });

  test("refuses a directory that everybody may write to, anywhere above the file", async () => {
    const directory = join(await makeTempDir(), "loose", "inner");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "config.yaml"), content, { mode: 0o600 });
    await chmod(join(directory, ".."), 0o777);
    await expect(readConfigFile(join(directory, "config.yaml"), uid)).rejects.toThrow(
      /everybody may rename files in .*loose/,
    );
    await chmod(join(directory, ".."), 0o1777);
    await expect(readConfigFile(join(directory, "config.yaml"), uid)).resolves.toMatchObject({ text: content });
  });

  test("refuses what is not a regular file, without waiting for it", async () => {
    const directory = await makeTempDir();
    const fifo = join(directory, "fifo");
    execFileSync("mkfifo", [fifo]);
    await expect(readConfigFile(fifo, uid)).rejects.toThrow(/is not a regular file/);
    await expect(readConfigFile(directory, uid)).rejects.toThrow(/is not a regular file/);
    await expect(readConfigFile("/dev/null", uid)).rejects.toThrow(/is not a regular file/);
  });

  test("refuses a large file, a missing one and a loop of links", async () => {
    const directory = await makeTempDir();
    const loop = join(directory, "loop");
    await symlink(loop, loop);
    await expect(readConfigFile(await fileOf(0o600, "#".repeat(1024 * 1024 + 1)), uid)).rejects.toThrow(
      /larger than 1 MiB/,
    );
    await expect(readConfigFile(join(directory, "none"), uid)).rejects.toThrow(/none: there is no such file$/);
    await expect(readConfigFile(loop, uid)).rejects.toThrow(/too many symbolic links/);
    await expect(readConfigFile("a\0b", uid)).rejects.toThrow(/cannot be read/);
  });

  test("warns of a secret that everybody can read, at its line", async () => {
    const jobs =
      "jobs:\n  - id: a\n    type: local\n    actions:\n      - { action: command, id: c, command: curl, args: ['https://me:hunter2@host/'] }\n";
    const text = `rsync_id: x\ncron_schedule: "0 1 * * *"\n${jobs}`;
    const open = await loadConfig(await fileOf(0o644, text), { env: {} });
    expect(open.warnings).toMatchObject([
      { line: 7, path: "jobs[0].actions[0].args[0]", message: expect.stringContaining("chmod o-r") },
    ]);
    expect((await loadConfig(await fileOf(0o640, text), { env: {} })).warnings).toEqual([]);
  });
});

import { readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createSlottedFile, readSlots } from "../../../src/base/slotted-file.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("a file with two slots", () => {
  let directory: string;
  let path: string;
  const onDisk = () => readFile(path, "utf8");
  const inode = async () => (await stat(path)).ino;
  const open = () => createSlottedFile(path, { mode: 0o640 });

  beforeEach(async () => {
    directory = await makeTempDir();
    path = join(directory, "intents.json");
  });

  it("has what was written last, in the same file and in place of what was written before the last", async () => {
    const file = open();
    await file.write('{"n":1}');
    const [first, size] = [await inode(), (await onDisk()).length];
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    for (const n of [2, 3, 4, 5]) {
      await file.write(`{"n":${n}}`);
      expect(readSlots(await onDisk())).toBe(`{"n":${n}}`);
      expect(await onDisk()).toContain(`{"n":${n - 1}}`);
    }
    expect([await inode(), (await onDisk()).length]).toEqual([first, size]);
    expect(await readdir(directory)).toEqual(["intents.json"]);
    await file.close();
  });

  it("still has the content before when a crash left a part of the last, wherever that was cut", async () => {
    const file = open();
    for (const n of [1, 2]) await file.write(`{"before":${n}}`);
    const before = Buffer.from(await onDisk());
    await file.write('{"after":"ä longer one"}');
    const after = Buffer.from(await onDisk());
    for (let cut = 0; cut <= 100; cut += 1) {
      const torn = Buffer.concat([after.subarray(0, cut), before.subarray(cut)]).toString();
      const isWhole = torn === after.toString();
      expect(readSlots(torn)).toBe(isWhole ? '{"after":"ä longer one"}' : '{"before":2}');
    }
    await file.close();
  });

  it("is made anew when the content has outgrown it, and when it is let go of", async () => {
    const file = open();
    await file.write('"short"');
    const long = JSON.stringify("ö".repeat(4096));
    await file.write(long);
    expect(readSlots(await onDisk())).toBe(long);
    await file.write('"short"');
    expect(readSlots(await onDisk())).toBe('"short"');
    await file.close();
    await file.write('"again"');
    expect(readSlots(await onDisk())).toBe('"again"');
    await file.close();
  });

  it.each(["removed", "replaced", "moved away"])("is made anew when somebody has %s it", async (what) => {
    const file = open();
    await file.write('"mine"');
    if (what === "moved away") await rename(path, `${path}.away`);
    else await rm(path);
    if (what === "replaced") await writeFile(path, "another");
    await file.write('"mine again"');
    expect(readSlots(await onDisk())).toBe('"mine again"');
    await file.close();
  });

  it("throws what the system says when it cannot be written", async () => {
    const file = createSlottedFile(join(directory, "missing", "x"), { mode: 0o640 });
    await expect(file.write('"mine"')).rejects.toThrow("ENOENT");
  });

  it("gives nothing for a text that nobody wrote", () => {
    for (const text of ["", "{}", '{"sum":"00000000","serial":1,"content":{}}\n'])
      expect(readSlots(text)).toBeUndefined();
  });
});

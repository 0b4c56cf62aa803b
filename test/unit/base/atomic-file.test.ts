import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeFileAtomically } from "../../../src/base/atomic-file.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("atomic file", () => {
  it("replaces the content and sets the mode, leaving nothing beside it", async () => {
    const directory = await makeTempDir();
    const path = join(directory, "intents.json");
    await writeFile(path, "old");
    await writeFileAtomically(path, "new", { mode: 0o600 });
    expect(await readFile(path, "utf8")).toBe("new");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["intents.json"]);
  });

  it("keeps what was there and cleans up when the new file cannot be put in place", async () => {
    const directory = await makeTempDir();
    await expect(writeFileAtomically(join(directory, "missing", "x"), "new", { mode: 0o600 })).rejects.toThrow(
      "ENOENT",
    );
    await expect(writeFileAtomically(directory, "new", { mode: 0o600 })).rejects.toThrow("EISDIR");
    expect(await readdir(directory)).toEqual([]);
  });
});

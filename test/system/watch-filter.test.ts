import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import fc from "fast-check";
import { expect, it } from "vitest";
import { byteStringOf } from "../../src/watch/byte-string.ts";
import { createWatchFilter } from "../../src/watch/watch-filter.ts";
import { makeTempDir } from "../support/temp-dir.ts";

interface Entry {
  readonly path: string;
  readonly isDirectory: boolean;
}

const directoryNames = ["a", "b", "ab", "c.d", "*"];
const fileNames = ["f", "a", "ba", "x.rrd", "ä", "[", "a-b", "\\f", " "];

/** Directories three deep; below each of them, and at the top, all of the files whose names are free. */
async function makeTree(root: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  const fill = async (directory: string, depth: number): Promise<void> => {
    await mkdir(join(root, directory), { recursive: true });
    const names = depth < 3 ? directoryNames : [];
    for (const name of fileNames.filter((file) => !names.includes(file))) {
      const path = join(directory, name);
      await writeFile(join(root, path), "");
      entries.push({ path, isDirectory: false });
    }
    for (const name of names) {
      entries.push({ path: join(directory, name), isDirectory: true });
      await fill(join(directory, name), depth + 1);
    }
  };
  await fill("", 0);
  return entries;
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "f", "x", ".", "rrd", "d", "ä", "-", " ") },
  { weight: 5, arbitrary: fc.constantFrom("*", "**", "***", "?", "/") },
  {
    weight: 2,
    arbitrary: fc.constantFrom("[a-c]", "[!a]", "[^/]", "[]x]", "[[:alpha:]]", "[[:bad:]]", "[[:x]", "[b-]", "[\\]]"),
  },
  { weight: 1, arbitrary: fc.constantFrom("[", "]", "\\", "\\*", "[a", "[!", "/**/", "**/", "/***") },
);

const pattern = fc
  .tuple(fc.constantFrom("", "", "/"), fc.array(piece, { minLength: 1, maxLength: 5 }), fc.constantFrom("", "", "/"))
  .map(([start, pieces, end]) => start + pieces.join("") + end)
  // rsync reads "- a" as a rule rather than a pattern.
  .filter((text) => !text.startsWith("- "));

it("leaves out what rsync leaves out, whatever the patterns", async () => {
  const root = join(await makeTempDir(), "tree");
  const entries = await makeTree(root);
  const empty = await makeTempDir();

  const takenByRsync = async (include: readonly string[], exclude: readonly string[]) => {
    const patterns = [...include.map((text) => `--include=${text}`), ...exclude.map((text) => `--exclude=${text}`)];
    const { stdout } = await execa("rsync", ["-n8a", "--out-format=%n", ...patterns, `${root}/`, `${empty}/`]);
    return stdout.split("\n").filter((line) => line !== "" && line !== "./");
  };
  const takenHere = (include: readonly string[], exclude: readonly string[]) => {
    const filter = createWatchFilter({ extensions: [], include, exclude });
    const leftOut: string[] = [];
    return entries.flatMap(({ path, isDirectory }) => {
      if (leftOut.some((directory) => path.startsWith(`${directory}/`))) return [];
      const name = byteStringOf(path);
      if (isDirectory ? filter.passesDirectory(name) : filter.passesFile(name)) return isDirectory ? `${path}/` : path;
      if (isDirectory) leftOut.push(path);
      return [];
    });
  };
  expect((await takenByRsync([], [])).length).toBe(entries.length);
  await fc.assert(
    fc.asyncProperty(
      fc.array(pattern, { maxLength: 2 }),
      fc.array(pattern, { minLength: 1, maxLength: 2 }),
      async (include, exclude) => {
        expect(takenHere(include, exclude).toSorted()).toEqual((await takenByRsync(include, exclude)).toSorted());
      },
    ),
    { numRuns: 150 },
  );
});

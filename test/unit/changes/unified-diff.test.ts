import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isText } from "../../../src/changes/read-tracked-file.ts";
import { builtinDiffer, countLines, type DiffSide } from "../../../src/changes/unified-diff.ts";
import { diffProgram } from "../../../src/daemon/diff-program.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function sides(before: string, after: string): Promise<[DiffSide, DiffSide]> {
  const directory = await makeTempDir();
  const side = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    return { file: join(directory, name), content: Buffer.from(text) };
  };
  return [await side("old", before), await side("new", after)];
}

const differs = [
  { name: "the library", differ: builtinDiffer },
  { name: "the program diff", differ: diffProgram },
];

describe.each(differs)("the difference by $name", ({ differ }) => {
  it.each([
    ["one\n", "one\ntwo\n"],
    ["one", "one\n"],
    ["one\r\ntwo\r\n", "one\r\ntwo\n"],
    ["", "first\n"],
    ["last\n", ""],
    ["\ufeffbom\n", "bom\n"],
    ["a\rb\n", "a\rc\n"],
    [`${"x".repeat(100_000)}\n`, `${"x".repeat(100_001)}\n`],
    ["--- a\n+++ b\n", "--- a\n+++ c\n"],
  ])("leads from %j to %j, byte for byte", async (before, after) => {
    const [old, now] = await sides(before, after);
    const difference = await differ(old, now);
    if (difference.kind !== "diff") throw new Error(difference.why);
    expect(difference.text).toMatch(/^--- before\n\+\+\+ after\n@@ /);
    const applied = spawnSync("patch", ["--silent", "--binary", old.file], { input: difference.text });
    if (applied.error !== undefined) return console.log("patch is not installed: the difference is not applied");
    expect(applied.stderr.toString()).toBe("");
    expect((await readFile(old.file)).equals(now.content)).toBe(true);
  });
});

it("says that the two are too different, instead of searching for ever", async () => {
  const lines = (salt: number) =>
    Array.from({ length: 60_000 }, (_, line) => `${(line * 7919 + salt) % 65_537}\n`).join("");
  const [old, now] = await sides(lines(1), lines(40_000));
  expect(await builtinDiffer(old, now)).toEqual({
    kind: "none",
    why: "the two are too different to be shown line by line",
  });
});

it("leaves out what is too long, from the program too", async () => {
  const [old, now] = await sides("a".repeat(1_200_000), "b".repeat(1_200_000));
  for (const { differ } of differs) expect(await differ(old, now)).toMatchObject({ kind: "none" });
});

it("says why the program could not compare", async () => {
  const [old] = await sides("a", "b");
  const difference = await diffProgram(old, { file: "/no/such/file", content: Buffer.alloc(0) });
  expect(difference).toMatchObject({ kind: "none", why: expect.stringMatching(/^diff failed: .*no such file/i) });
});

it("counts the lines that it adds and removes", () => {
  expect(countLines("--- before\n+++ after\n@@ -1,2 +1,3 @@\n same\n-old\n+new\n++++ plus\n--- minus\n")).toEqual({
    ...{ added: 2, removed: 2 },
  });
});

describe("a text", () => {
  it.each(["", "ascii\n", "grüße\r\n", "\ufeffbom", "😀"])("is %j", (text) => {
    expect(isText(Buffer.from(text))).toBe(true);
  });

  it.each([[[0]], [[0x61, 0, 0x62]], [[0xff]], [[0xc3]], [[0xed, 0xa0, 0x80]]])("is not %j", (bytes) => {
    expect(isText(Buffer.from(bytes))).toBe(false);
  });

  it("is whatever comes back the same from a string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const content = Buffer.from(bytes);
        expect(isText(content)).toBe(!bytes.includes(0) && Buffer.from(content.toString()).equals(content));
      }),
    );
  });
});

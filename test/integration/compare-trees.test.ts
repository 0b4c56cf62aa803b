import { chmodSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it } from "vitest";
import { compareTrees, untilTreesEqual } from "../support/compare-trees.ts";
import { makeTempDir } from "../support/temp-dir.ts";

let left: string;
let right: string;

beforeEach(async () => {
  const directory = await makeTempDir();
  [left, right] = [join(directory, "left"), join(directory, "right")];
  mkdirSync(join(left, "some/deep"), { recursive: true });
  writeFileSync(join(left, "some/deep/file"), "content");
  writeFileSync(join(left, "empty"), "");
  symlinkSync("deep/file", join(left, "some/link"));
  symlinkSync("nowhere", join(left, "dangling"));
  writeFileSync(Buffer.concat([Buffer.from(`${left}/caf`), Buffer.from([0xe9])]), "a name that is no UTF-8");
  await execa("cp", ["-a", left, right]);
});

describe("the comparison of two trees", () => {
  it("finds a copy equal, times included", () => {
    expect(compareTrees(left, right, { mtimes: "all" })).toEqual([]);
  });

  it.each<[string, () => void, string]>([
    ["a missing file", () => writeFileSync(join(left, "new"), ""), "new: file is missing on the right"],
    ["a missing empty directory", () => mkdirSync(join(left, "d")), "d: directory is missing on the right"],
    ["what is only on the right", () => writeFileSync(join(right, "some/x"), ""), "some/x: file is only on the right"],
    [
      "another byte in a file of the same size",
      () => writeFileSync(join(right, "some/deep/file"), "contEnt"),
      "some/deep/file: same size (7), contents differ from byte 4 on",
    ],
    ["another size", () => writeFileSync(join(right, "empty"), "x"), "empty: size 0 on the left, 1 on the right"],
    ["another mode", () => chmodSync(join(right, "some"), 0o700), "some: mode 0755 on the left, 0700 on the right"],
    [
      "a directory in place of a file",
      () => {
        writeFileSync(join(left, "thing"), "");
        mkdirSync(join(right, "thing"));
      },
      "thing: file on the left, directory on the right",
    ],
    [
      "links that lead elsewhere",
      () => {
        symlinkSync("here", join(left, "way"));
        symlinkSync("there", join(right, "way"));
      },
      "way: target here on the left, there on the right",
    ],
    ["a name with a line end", () => writeFileSync(join(left, "a\nb"), ""), "a\\nb: file is missing on the right"],
  ])("tells %s", (_, change, difference) => {
    chmodSync(join(left, "some"), 0o755);
    chmodSync(join(right, "some"), 0o755);
    change();
    expect(compareTrees(left, right)).toEqual([difference]);
  });

  it("tells another time only where it is asked for", () => {
    utimesSync(join(right, "empty"), 1, 1.5);
    utimesSync(join(right, "some"), 1, 1);
    expect(compareTrees(left, right)).toEqual([]);
    expect(compareTrees(left, right, { mtimes: "files" })).toEqual([
      expect.stringMatching(/^empty: mtime \d+ on the left, 1 on the right$/),
    ]);
    expect(compareTrees(left, right, { mtimes: "all" })).toHaveLength(2);
  });

  it("leaves out what it is told to, and lets the right have more where that is right", () => {
    writeFileSync(join(right, "more"), "");
    writeFileSync(join(left, "some/deep/other"), "");
    const except = (path: string) => path === "some/deep";
    expect(compareTrees(left, right, { except, rightMayHaveMore: true })).toEqual([]);
    expect(compareTrees(left, right, { except })).toEqual(["more: file is only on the right"]);
  });

  it("tells the first twenty of many, and how many more there are", () => {
    for (let file = 0; file < 50; file += 1) writeFileSync(join(left, `file${file}`), "");
    const differences = compareTrees(left, right);
    expect(differences).toHaveLength(21);
    expect(differences.at(-1)).toBe("… and 30 more");
  });

  it("takes a tree that is not there for an empty one", () => {
    expect(compareTrees(left, `${right}-of-nobody`, { except: (path) => path !== "empty" })).toEqual([
      "empty: file is missing on the right",
    ]);
  });

  it("waits until both are equal, and says what still differs when the time is up", async () => {
    writeFileSync(join(left, "late"), "x");
    await expect(untilTreesEqual(left, right, { timeoutMs: 1 })).rejects.toThrow("late: file is missing on the right");
    const equal = untilTreesEqual(left, right);
    writeFileSync(join(right, "late"), "x");
    await equal;
  });
});

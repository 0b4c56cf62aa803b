import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseItemizedChange } from "../../../src/rsync/itemized-changes.ts";
import { captured, capturedVersions } from "../../support/rsync-fixtures.ts";

function changesOf(version: string, name: string) {
  return captured(version, name)
    .split("\n")
    .map((line) => parseItemizedChange(line))
    .filter((change) => change !== undefined);
}

describe.each(capturedVersions)("itemised changes of rsync %s", (version) => {
  it("name every path of a first copy as it is", () => {
    const changes = changesOf(version, "first");
    expect(changes).toHaveLength(25);
    expect(changes.every(({ isNew, differs }) => isNew && differs.length === 0)).toBe(true);
    expect(changes.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        ".",
        "$(touch PWNED) `id`",
        "*deleting fake",
        "\\#012escape",
        "arrow -> nowhere",
        "hard => link",
        "back\\slash",
        "latin\\#351",
        "new\nNumber of files: 77 (reg: 77)\nline",
        "sp ace/file two",
        "schön",
        "dir/sub",
      ]),
    );
  });

  it("tell kinds and operations apart", () => {
    const byPath = new Map(changesOf(version, "first").map((change) => [change.path, change]));
    expect(byPath.get("big")).toMatchObject({ operation: "received", kind: "file", linkTarget: null });
    expect(byPath.get("dir")).toMatchObject({ operation: "created", kind: "directory" });
    expect(byPath.get("link")).toMatchObject({ operation: "created", kind: "symlink", linkTarget: "dir/file" });
    expect(byPath.get("fifo")).toMatchObject({ operation: "created", kind: "special" });
    expect(byPath.get("dir/file")).toMatchObject({ operation: "linked", kind: "file", linkTarget: "dir/hard" });
  });

  it("say what differs, and what was deleted", () => {
    const byPath = new Map(changesOf(version, "changed").map((change) => [change.path, change]));
    expect(byPath.get("dir/file")).toMatchObject({ isNew: false, differs: ["size", "time"] });
    expect(byPath.get("dir")).toMatchObject({ operation: "attributes", differs: ["permissions"] });
    expect(byPath.get("link")).toMatchObject({ operation: "created", isNew: false, linkTarget: "other" });
    expect(byPath.get("extra")).toMatchObject({ operation: "deleted", kind: "directory" });
    expect(byPath.get("extra/will -> go")).toMatchObject({ operation: "deleted", kind: "unknown" });
    expect(byPath.get("gone\ntoo")).toMatchObject({ operation: "deleted" });
    expect(byPath.get("*deleting fake")).toMatchObject({ operation: "deleted" });
  });

  it("are the same in a dry run", () => {
    const paths = (name: string) =>
      changesOf(version, name)
        .map(({ path }) => path)
        .toSorted();
    expect(paths("dry-run")).toEqual(paths("first"));
  });

  it("are not seen in statistics and progress", () => {
    expect(changesOf(version, "unchanged")).toEqual([]);
    expect(changesOf(version, "slow").map(({ path }) => path)).toEqual([]);
  });
});

it("takes any text", () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom(">f+++++++++ ", "*deleting   ", "hf", " => ", "\\#012", "\\#9"));
  const parse = fc.property(fc.array(piece), (pieces) => void parseItemizedChange(pieces.join("")));
  expect(() => fc.assert(parse)).not.toThrow();
});

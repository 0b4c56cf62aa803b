import { describe, expect, it } from "vitest";
import {
  destinationWords,
  namesNewRoot,
  partWords,
  readLookLine,
  wordsOfLook,
  wordsOfPart,
} from "../../../src/rsync/part-words.ts";

describe("the words of a part", () => {
  it("delete nothing, filter nothing, and share the bandwidth", () => {
    const words = [
      "-avF",
      "--delete",
      "--max-delete=5",
      "--exclude",
      "x",
      "--filter=- y",
      "-m",
      "--bwlimit=1000",
      "-z",
    ];
    expect(wordsOfPart(words, 4)).toEqual(["-av", "-z", "--bwlimit=250"]);
  });

  it("have no limit where the user takes it back", () => {
    expect(wordsOfPart(["-a", "--bwlimit=1000", "--no-bwlimit"], 4)).toEqual(["-a", "--no-bwlimit"]);
  });

  it("keep directories open only where the last rsync will shut them", () => {
    expect(partWords(["-a"])).toContain("--chmod=Du+rwx");
    expect(partWords(["-rt"])).not.toContain("--chmod=Du+rwx");
    expect(partWords(["-a", "--no-p"])).not.toContain("--chmod=Du+rwx");
  });

  it("make a directory and nothing in it, and say so once", () => {
    expect(destinationWords(["-a"])).toEqual([
      ...["--no-recursive", "--dirs", "--exclude=*", "--itemize-changes", "--omit-dir-times", "--chmod=Du+rwx"],
    ]);
    // Given twice the option would name what is unchanged, too.
    for (const told of ["-ai", "--itemize-changes"])
      expect(destinationWords([told])).not.toContain("--itemize-changes");
    expect(["cd+++++++++ ./", ".d..t...... ./", "cd+++++++++ a/"].map(namesNewRoot)).toEqual([true, false, false]);
  });

  it("let a look speak in its own form only", () => {
    expect(wordsOfLook(["-aivh", "--info=progress2", "--delete", "--exclude=x"])).toEqual([
      "-a",
      "--delete",
      "--exclude=x",
    ]);
  });
});

describe("a line of a look", () => {
  it.each([
    ["rsyncdirector-part <f+++++++++ 12 a b/c", { file: { path: "a b/c", bytes: 12 } }],
    ["rsyncdirector-part >f.st...... 0 n\\#012l", { file: { path: "n\nl", bytes: 0 } }],
    ["rsyncdirector-part *deleting   0 a/b/", { deleted: "a/b" }],
    ["rsyncdirector-part cd+++++++++ 4096 ./", "new root"],
    ["rsyncdirector-part .d..t...... 4096 ./", "other"],
    ["rsyncdirector-part cL+++++++++ 3 link", "other"],
    ["rsyncdirector-part hf+++++++++ 3 other-name", "other"],
    ["rsyncdirector-part >f+++++++++ 3 not-\\#303-utf8", "other"],
    ["rsyncdirector-part >f+++++++++ 3 looks-\\#134#303-like-it", "other"],
    ["sent 12 bytes", undefined],
  ])("%s", (line, expected) => {
    expect(readLookLine(line)).toEqual(expected);
  });
});

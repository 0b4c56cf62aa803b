import { describe, expect, it } from "vitest";
import {
  deletionRules,
  inlinePatternFiles,
  listText,
  wordsOfDeletion,
  wordsOfListTransfer,
} from "../../../src/rsync/list-words.ts";

describe("a list for rsync", () => {
  it("ends every path in a zero byte, and hides what would be a comment", () => {
    expect(listText(["a b", "new\nline", "#c", ";d", "x/#e"])).toBe("a b\0new\nline\0./#c\0./;d\0x/#e\0");
    expect(listText([])).toBe("");
  });
});

describe("the user's words", () => {
  const words = [
    "-avmd",
    "--delete-excluded",
    "--del",
    "--exclude",
    "a",
    "-fF",
    "--max-delete=3",
    "--filter=- b",
    "-e",
    "ssh -F x",
  ];

  it("delete nothing in a call that copies a list", () => {
    expect(wordsOfListTransfer(words)).toEqual(words.filter((word) => !word.startsWith("--del")));
  });

  it("do not say what a call deletes, nor when", () => {
    const kept = ["-av", "--exclude", "a", "-fF", "--max-delete=3", "--filter=- b", "-e", "ssh -F x"];
    expect(wordsOfDeletion(words, "filters")).toEqual(kept);
    expect(wordsOfDeletion(words, "no filters")).toEqual(["-av", "--max-delete=3", "-e", "ssh -F x"]);
  });

  it("give the lines of files with patterns one by one, in their place", async () => {
    const files: Record<string, string[]> = { "/x": ["# comment", "", "a", "+ b"], "/i": [";no", " c"] };
    const inlined = await inlinePatternFiles(
      ["-a", "--exclude", "--exclude-from=/no", "--exclude-from", "/x", "--include-from=/i", "--exclude=z"],
      async (file) => files[file] ?? [],
    );
    expect(inlined).toEqual([
      "-a",
      "--exclude",
      "--exclude-from=/no",
      "--exclude=a",
      "--exclude=+ b",
      "--include= c",
      "--exclude=z",
    ]);
  });
});

describe("the rules of a deletion", () => {
  it("name the path, what is below it and the way there, and protect the rest", () => {
    expect(deletionRules(["a/b/c", "a/d"])).toEqual({
      text: "+ /a/\n+ /a/b/\n+ /a/b/c\n+ /a/b/c/***\n+ /a/d\n+ /a/d/***\n",
      words: ["--filter=merge -", "--exclude=*"],
    });
  });

  it("protect everything when there is nothing to delete", () => {
    expect(deletionRules([])).toEqual({ text: "", words: ["--filter=merge -", "--exclude=*"] });
  });

  it("take no character for a wildcard, and give what no line can hold as words", () => {
    expect(deletionRules(["x*\\", "b\\", "n\nl"])).toEqual({
      text: "+ /x\\*\\\\\n+ /x\\*\\\\/***\n+ /b\\\n+ /b\\\\/***\n",
      words: ["--filter=merge -", "--include=/n\nl", "--include=/n\nl/***", "--exclude=*"],
    });
  });

  it("reach only files with an ending", () => {
    expect(deletionRules(["a", "b.rrd"], { extensions: [".rrd"] }).text).toBe(
      "+ /a/\n+ /a/**/\n+ /a/**.rrd\n+ /b.rrd\n+ /b.rrd/**/\n+ /b.rrd/**.rrd\n",
    );
  });

  it("leave out what is below where each path is named", () => {
    expect(deletionRules(["a", "a/b"], { exact: true }).text).toBe("+ /a\n+ /a/\n+ /a/b\n");
  });
});

import { describe, expect, it } from "vitest";
import { hasExtension, extensionWords } from "../../../src/rsync/extensions.ts";
import { filterKind, isFilterOption, literalPattern } from "../../../src/rsync/filter-patterns.ts";

describe("a user's filters", () => {
  it.each([
    [[], "none"],
    [["-avz", "--delete", "-e", "ssh -F x", "--files-from=x"], "none"],
    [
      ["--exclude=a", "--exclude", "-b", "-f", "- c", "--filter=P d", "-af", "exclude e", "--filter=hide_f"],
      "excludes",
    ],
    [["--exclude=a", "--include=b"], "rules"],
    [["--exclude=+ b"], "rules"],
    [["--exclude=!"], "rules"],
    [["--exclude-from=x"], "rules"],
    [["--filter=+ a"], "rules"],
    [["--filter=R a"], "rules"],
    [["--filter=-p a"], "rules"],
    [["--include=a", "-F"], "per-directory"],
    [["-avFz"], "per-directory"],
    [["-C"], "per-directory"],
    [["--filter=: x"], "per-directory"],
    [["--filter=merge x"], "per-directory"],
  ])("%j are %s", (words, kind) => {
    expect(filterKind(words)).toBe(kind);
  });

  it("are told from other options", () => {
    expect(["filter", "F", "include-from", "exclude"].every(isFilterOption)).toBe(true);
    expect(["files-from", "f", "r", "delete-excluded"].some(isFilterOption)).toBe(false);
  });
});

it("a pattern names one path, with backslashes doubled only where there are wildcards", () => {
  expect(["a b", "x\\", "a*\\", "[b]?"].map(literalPattern)).toEqual(["a b", "x\\", "a\\*\\\\", "\\[b]\\?"]);
});

describe("endings", () => {
  it("become rules behind which everything else is excluded", () => {
    expect(extensionWords([])).toEqual([]);
    expect(extensionWords([".rrd", "[x]"])).toEqual([
      "--prune-empty-dirs",
      "--include=*/",
      "--include=*.rrd",
      "--include=*\\[x]",
      "--exclude=*",
    ]);
  });

  it.each([
    ["a/b.rrd", [".rrd"], true],
    ["a.rrd/b", [".rrd"], false],
    ["a/b.RRD", [".txt", ".rrd"], false],
    [".rrd", [".rrd"], true],
    ["x", [], true],
  ])("of %s among %j: %s", (path, extensions, expected) => {
    expect(hasExtension(path, extensions)).toBe(expected);
  });
});

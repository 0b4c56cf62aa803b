import { describe, expect, it } from "vitest";
import { byteStringOf } from "../../../src/watch/byte-string.ts";
import { createWatchFilter, type WatchFilterOptions } from "../../../src/watch/watch-filter.ts";

function filter(options: Partial<WatchFilterOptions>) {
  const made = createWatchFilter({ extensions: [], include: [], exclude: [], ...options });
  return (path: string) =>
    path.endsWith("/") ? made.passesDirectory(byteStringOf(path.slice(0, -1))) : made.passesFile(byteStringOf(path));
}

describe("patterns to exclude", () => {
  it.each([
    ["*.tmp", ["a.tmp", "x/y/a.tmp", "a.tmp/"], ["a.tmpx", "x/a", "x/"]],
    ["/cache/", ["cache/"], ["cache", "x/cache/"]],
    ["cache/", ["cache/", "x/cache/"], ["cache", "cached/"]],
    ["/a", ["a", "a/"], ["x/a"]],
    ["a/b", ["a/b", "x/a/b"], ["xa/b", "b", "a/b/c"]],
    ["a/*/b", ["a/x/b", "y/a/x/b"], ["a/b", "a/x/y/b"]],
    ["a/**/b", ["a/x/b", "a/x/y/b", "z/a/x/b"], ["a/b", "xa/y/b"]],
    ["**/b", ["b", "x/b", "x/y/b"], ["xb"]],
    ["a/***", ["a/", "a/b", "a/b/c"], ["a", "b"]],
    ["a**", ["a", "ab", "a/b", "x/ab"], ["xa"]],
    ["/**", ["a", "x/y/"], []],
    ["[a-c]?", ["a1", "x/cz"], ["d1", "a", "a/1"]],
    ["[!a]", ["b"], ["a"]],
    ["[]x]", ["]", "x"], ["y"]],
    ["[[:digit:]]", ["7"], ["a", ":"]],
    ["[a", [], ["a", "[a"]],
    ["a\\*b", [], ["ab", "axb"]],
    ["a\\b", ["a\\b"], ["ab"]],
    ["ä??", ["äö"], ["äab1", "ä"]],
    ["a.b", ["a.b"], ["axb"]],
  ])("%s leaves out what rsync leaves out", (pattern, leftOut, kept) => {
    const passes = filter({ exclude: [pattern] });
    expect(leftOut.filter(passes)).toEqual([]);
    expect(kept.filter((path) => !passes(path))).toEqual([]);
  });

  it("matches a star that is escaped beside a wildcard as itself", () => {
    expect(filter({ exclude: ["\\*?"] })("*x")).toBe(false);
    expect(filter({ exclude: ["\\*?"] })("ax")).toBe(true);
  });
});

it("includes before it excludes", () => {
  const passes = filter({ include: ["keep.tmp", "*/"], exclude: ["*.tmp", "dir/"] });
  expect(["keep.tmp", "x/keep.tmp", "dir/", "other"].filter(passes)).toHaveLength(4);
  expect(passes("lose.tmp")).toBe(false);
});

it("asks for the ending of files only, and for the patterns of all", () => {
  const passes = filter({ extensions: [".rrd", ".txt"], exclude: ["old.*"] });
  expect(["a.rrd", "x/b.txt", "dir/", "dir.d/"].filter(passes)).toHaveLength(4);
  expect(["a.rrdx", "txt", "old.txt", "old.d/"].filter(passes)).toEqual([]);
});

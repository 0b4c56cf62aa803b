import { describe, expect, test } from "vitest";
import { checkOpts, splitOpts } from "../../../src/config/rsync-opts.ts";

const allowed = [
  ["-av", "--delete", "--exclude", ".cache"],
  ["--filter", "- *.exe"],
  ["-f", "- e"],
  ["-avf-e"],
  ["--exclude", "--rsh=ssh"],
  ["-T/tmp", "-B", "1024"],
  ["--chmod=D755", "--info=progress2"],
  ["--files-from=/list", "--force"],
];

describe("checkOpts", () => {
  test.each(allowed.map((words) => ({ words })))("has nothing against $words", ({ words }) => {
    expect(checkOpts(words, false).problems).toEqual([]);
  });

  test.each([
    [["-essh"], "-e"],
    [["-avze", "ssh"], "-e"],
    [["--rsh=ssh"], "--rsh"],
    [["--rsh", "ssh"], "--rsh"],
    [["--rsync-path=/x"], "--rsync-path"],
    [["-M--fake-super"], "-M"],
    [["--exclude=x", "--old-args"], "--old-args"],
    [["--log-file", "/x"], "--log-file"],
    [["--write-devices"], "--write-devices"],
    [["--trust-sender"], "--trust-sender"],
    [["--ignore-errors"], "--ignore-errors"],
    [["--files-from", "host:/x"], "--files-from"],
  ])("refuses %j unless it is allowed", (words, shown) => {
    expect(checkOpts(words, false).problems).toEqual([expect.stringMatching(new RegExp(`^${shown} is not allowed: `))]);
    expect(checkOpts(words, true).problems).toEqual([]);
  });

  test.each([
    [["--server"]],
    [["--"]],
    [["-aV"]],
    [["extra"]],
    [["-"]],
    [["--exclude"]],
    [["-T"]],
    [["--info=help"]],
    [["--debug", "io,HELP2"]],
  ])("never accepts %j", (words) => {
    expect(checkOpts(words, true).problems).toHaveLength(1);
  });

  test.each([
    [["-a", "--delete"], true],
    [["--del"], true],
    [["--delete-missing-args"], true],
    [["--exclude", "--delete"], false],
  ])("sees whether %j deletes", (words, deletes) => {
    expect(checkOpts(words, false).deletes).toBe(deletes);
  });

  test.each([
    [["-avn"], true],
    [["--dry-run"], true],
    [["--list-only"], true],
    [["-T", "-n"], false],
  ])("sees whether %j copies nothing", (words, pretends) => {
    expect(checkOpts(words, false).onlyPretends).toBe(pretends);
  });
});

// As "skipping directory" of rsync 3.5.0 tells.
test.each([
  [[], "skipped"],
  [["-lt", "-R", "--inc-recursive"], "skipped"],
  [["-a"], "tree"],
  [["-a", "--no-r"], "skipped"],
  [["-r", "--no-recursive"], "skipped"],
  [["--no-r", "-a"], "tree"],
  [["-a", "--no-dirs"], "tree"],
  [["-d"], "level"],
  [["-d", "--no-dirs"], "skipped"],
  [["--no-d", "--old-dirs"], "level"],
  [["--list-only", "--no-r"], "level"],
  [["--list-only", "--no-dirs"], "skipped"],
  [["--files-from=/dev/null"], "level"],
])("knows what %j makes of directories", (words, directories) => {
  expect(checkOpts(words, true).directories).toBe(directories);
});

test("splitOpts names every element that a shell would have changed", () => {
  const { words, problems } = splitOpts(["-a --exclude 'x y'", "$HOME", "-v", "*.c"]);
  expect(words).toEqual(["-a", "--exclude", "x y", "-v"]);
  expect(problems.map(({ element }) => element)).toEqual([1, 3]);
});

describe("long options that rsync does not know", () => {
  test.each([
    [["--delet"], "--delet is no option of rsync 3.5.0, which would refuse to start; did you mean --delete?"],
    [["--no-prems"], "--no-prems is no option of rsync 3.5.0, which would refuse to start; did you mean --no-perms?"],
    [["--utterly-unheard-of=1"], "--utterly-unheard-of is no option of rsync 3.5.0, which would refuse to start"],
  ])("%s are probably a slip, and no more than a warning", (words, warning) => {
    expect(checkOpts(words, false)).toMatchObject({ problems: [], warnings: [warning] });
  });

  test("are not those with a value, nor those that its help does not name", () => {
    const words = ["--exclude", "--delet", "--no-i-r", "--zl=3", "--protect-args", "--no-D", "-av", "--old-d"];
    expect(checkOpts(words, false).warnings).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import {
  checkOfChanges,
  comparison,
  completeCheck,
  csync2Words,
  markCalls,
} from "../../../../src/action/csync2/csync2-words.ts";
import { readCsync2Options } from "../../../../src/config/csync2-options.ts";
import type { Csync2Action } from "../../../../src/config/resolved.ts";

const action = { config: "web", hostname: "alpha", opts: ["-D", "/db"] } as unknown as Csync2Action;

describe("the words for csync2", () => {
  it("begin with what all calls have", () => {
    expect(csync2Words(action)).toEqual(["csync2", "-C", "web", "-N", "alpha", "-D", "/db"]);
    expect(() => csync2Words({ ...action, opts: ["-x"] })).toThrow("-x cannot be used");
  });

  it("look at everything, or at what the action names", () => {
    expect(completeCheck([])).toEqual([{ mode: ["-c", "-r"], paths: ["/"] }]);
    expect(completeCheck(["/a", "/b"])).toEqual([{ mode: ["-c", "-r"], paths: ["/a", "/b"] }]);
  });

  it("look at the directories above a change first, and below what may have had files", () => {
    const calls = checkOfChanges(
      [
        { path: "/srv/www/new/deep/file", kind: "changed" },
        { path: "/srv/www/new/deep", kind: "tree" },
        { path: "/srv/www/gone", kind: "deleted" },
      ],
      ["/srv/www"],
    );
    expect(calls).toEqual([
      { mode: ["-c"], paths: ["/srv/www", "/srv/www/new", "/srv/www/new/deep", "/srv/www/new/deep/file"] },
      { mode: ["-c", "-r"], paths: ["/srv/www/gone", "/srv/www/new/deep"] },
    ]);
  });

  it("compare without marking what a check would look at", () => {
    expect(comparison({ mode: ["-c"], paths: ["/srv/www/file"] })).toEqual(["-o", "-vv", "/srv/www/file"]);
  });

  it("become as few calls as the kernel takes, and none for nothing", () => {
    expect(markCalls([])).toEqual([]);
    const paths = Array.from({ length: 6000 }, (_, index) => `/srv/${"x".repeat(200)}/${index}`);
    const calls = markCalls(paths);
    expect(calls.length).toBe(3);
    expect(calls.flatMap((call) => call.paths)).toEqual(paths);
  });
});

describe("the operator's own options", () => {
  it.each([[["-D", "/db"]], [["-D/db"]], [["-AB", "-p", "30866"]], [["-BGweb"]], [[]]])("may be %j", (words) => {
    expect(readCsync2Options(words).complaint).toBeUndefined();
  });

  it("are read as csync2 reads them: the last value counts, and letters may share a word", () => {
    const { values } = readCsync2Options(["-D", "/a", "-Bp", "30866", "-BD/b", "-A"]);
    expect([...values]).toEqual([
      ["D", "/b"],
      ["p", "30866"],
    ]);
  });

  it.each([
    [["-F"], "-F cannot be used: it would overwrite what was changed on both sides"],
    [["-Bx"], "-x cannot be used"],
    [["-Bt"], "-t cannot be used: the program could not read what csync2 says"],
    [["-N", "x"], "-N cannot be used: use hostname"],
    [["-D"], "-D has no value"],
    [["/srv"], '"/srv" is not an option of csync2; paths belong into path'],
    [["--", "x"], '"--" is not an option'],
  ])("may not be %j", (words, complaint) => {
    expect(readCsync2Options(words).complaint).toContain(complaint);
  });
});

import { expect, it } from "vitest";
import {
  deletesAtDestination,
  groupRsyncWords,
  keepRsyncOptions,
  readRsyncWords,
  rsyncOptionNames,
} from "../../../src/base/rsync-words.ts";

it.each([
  [["-avz"], ["a", "v", "z"]],
  [
    ["-aqe", "ssh x", "-n"],
    ["a", "quiet", "rsh", "dry-run"],
  ],
  [
    ["-avessh", "-s"],
    ["a", "v", "rsh", "secluded-args"],
  ],
  [
    ["--timeout=5", "--exclude", "-q"],
    ["timeout", "exclude"],
  ],
  [["--protect-args"], ["secluded-args"]],
  [["-f", "- /secret"], ["filter"]],
])("reads %j as rsync would", (words, names) => {
  expect([...rsyncOptionNames(words)]).toEqual(names);
});

it.each([
  [["-a", "x"], "x"],
  [["-"], "-"],
  [["--delete", "x"], "x"],
  [["--exclude=x", "--bwlimit", "5"], undefined],
])("finds in %j what is no option", (words, stray) => {
  expect(readRsyncWords(words).find((word) => word.kind === "stray")?.word).toBe(stray);
});

it.each([
  [["--delete"], true],
  [["--del"], true],
  [["--delete-excluded"], true],
  [["--exclude", "--delete"], false],
  [["-av", "--inplace"], false],
])("knows whether %j deletes at the destination", (words, deletes) => {
  expect([...rsyncOptionNames(words)].some(deletesAtDestination)).toBe(deletes);
});

it("says which option at the end of the list lacks its value", () => {
  const lacking = (words: string[]) =>
    readRsyncWords(words).flatMap((word) => (word.kind === "option" && word.lacksValue ? [word.shown] : []));
  expect(lacking(["-av", "--exclude"])).toEqual(["--exclude"]);
  expect(lacking(["-avB"])).toEqual(["-B"]);
  expect(lacking(["--exclude", "x", "--bwlimit=5"])).toEqual([]);
});

it.each([
  [["-avF"], ["F"], ["-av"]],
  [["-F", "-a"], ["F"], ["-a"]],
  [["-avfx"], ["filter"], ["-av"]],
  [["-avf", "x", "-z"], ["filter"], ["-av", "-z"]],
  [["-Fvf", "x"], ["F"], ["-vf", "x"]],
  [["-Fvfx y"], ["F", "v"], ["-fx y"]],
  [
    ["--exclude", "-F", "--include=a"],
    ["F", "include"],
    ["--exclude", "-F"],
  ],
  [["--exclude", "-F"], ["exclude"], []],
  [["stray", "-a"], ["a"], ["stray"]],
])("%j without %j are %j", (words, dropped, kept) => {
  expect(keepRsyncOptions(words, (name) => !dropped.includes(name))).toEqual(kept);
});

it("groups words with their values", () => {
  expect(groupRsyncWords(["-a", "--exclude", "-b", "-e"])).toEqual([["-a"], ["--exclude", "-b"], ["-e"]]);
});

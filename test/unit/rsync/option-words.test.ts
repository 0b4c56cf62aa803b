import { expect, it } from "vitest";
import { deletesAtDestination, readOptionWords } from "../../../src/rsync/option-words.ts";

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
  [["-f", "- /secret"], ["f"]],
])("reads %j as rsync would", (words, names) => {
  expect([...readOptionWords(words).names]).toEqual(names);
});

it.each([
  [["-a", "x"], "x"],
  [["--archive", "--"], "--"],
  [["-"], "-"],
  [["--delete", "x"], "x"],
  [["--exclude=x", "--bwlimit", "5"], undefined],
])("finds in %j what is no option", (words, stray) => {
  expect(readOptionWords(words).stray).toBe(stray);
});

it.each([
  [["--delete"], true],
  [["--del"], true],
  [["--delete-excluded"], true],
  [["--exclude", "--delete"], false],
  [["-av", "--inplace"], false],
])("knows whether %j deletes at the destination", (words, deletes) => {
  expect(deletesAtDestination(readOptionWords(words).names)).toBe(deletes);
});

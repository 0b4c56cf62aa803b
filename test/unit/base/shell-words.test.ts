import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { quoteWord, splitWords } from "../../../src/base/shell-words.ts";

describe("splitWords", () => {
  test.each([
    ["-av", ["-av"]],
    ["--exclude '.cache'", ["--exclude", ".cache"]],
    ["  -a\t-v \n", ["-a", "-v"]],
    ["", []],
    ["''", [""]],
    ["a''b", ["ab"]],
    [`"a b"'c d'\\ e`, ["a bc d e"]],
    ['"\\$HOME \\x \\\\"', ["$HOME \\x \\"]],
    ["'*.o' \\*.c", ["*.o", "*.c"]],
    ["--suffix=~ x#y a]b}", ["--suffix=~", "x#y", "a]b}"]],
    ["a\\\nb", ["ab"]],
    ["'a\nb'", ["a\nb"]],
    ["größe", ["größe"]],
  ])("splits %j", (text, words) => {
    expect(splitWords(text)).toEqual({ words });
  });

  test.each([
    ["--exclude *.o", 10, "unquoted *: a shell would expand it to file names"],
    ["a ~/x", 2, "unquoted ~: a shell would expand it to a home directory"],
    ["$HOME", 0, "unquoted $: a shell would expand it"],
    ['"$HOME"', 1, "$ inside double quotes: a shell would expand it"],
    ['"`id`"', 1, "` inside double quotes: a shell would run it as a command"],
    ["a; b", 1, "unquoted ;: a shell would end the command there"],
    ["a #b", 2, "unquoted #: a shell would take the rest for a comment"],
    ["x{a,b}", 1, "unquoted {: a shell would expand the braces"],
    ["a\nb", 1, "an unquoted line break ends a shell command"],
    ["a 'b", 2, "the single quote is never closed"],
    ['a "b', 2, "the double quote is never closed"],
    ["a\\", 1, "a backslash at the end has nothing to quote"],
    ["'a\0'", 0, "a NUL character cannot be part of an argument"],
  ])("refuses %j", (text, index, problem) => {
    expect(splitWords(text)).toEqual({ problem, index });
  });

  test("gives back words that were quoted", () => {
    const word = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0"));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitWords(words.map(quoteWord).join(" "))).toEqual({ words });
      }),
    );
  });

  test("reads whatever it accepts as /bin/sh reads it", () => {
    const piece = fc.constantFrom(
      "a",
      " ",
      "\t",
      "'",
      '"',
      "\\",
      "\n",
      "$",
      "*",
      "~",
      "#",
      "=",
      "-",
      "ü",
      "!",
      "]",
      "}",
    );
    const samples = fc.sample(fc.string({ unit: piece, maxLength: 12 }), { numRuns: 20_000, seed: 20 });
    const accepted = [...new Set(samples)].flatMap((text) => {
      const result = splitWords(text);
      return "words" in result ? [{ text, words: result.words }] : [];
    });
    // One shell for all of them: each line is printed with NUL after every word and a marker at the end.
    const script = accepted.map(({ text }) => `printf '%s\\0' START ${text}\n`).join("");
    const output = execFileSync("/bin/sh", { input: script, encoding: "utf8" });
    const groups = output.split("START\0").slice(1);
    expect(groups.length).toBe(accepted.length);
    expect(accepted.length).toBeGreaterThan(1000);
    for (const [index, { text, words }] of accepted.entries()) {
      expect({ text, words: groups[index]?.split("\0").slice(0, -1) }).toEqual({ text, words });
    }
  });
});

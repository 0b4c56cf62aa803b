import { describe, expect, it } from "vitest";
import { displayWidth, foldLine } from "../../../src/cli/display-width.ts";
import { formatTable, printable } from "../../../src/cli/output.ts";
import { wrapLines, wrapText } from "../../../src/cli/wrap-text.ts";

describe("displayWidth", () => {
  it.each([
    ["", 0],
    ["home copy", 9],
    ["Zürich & back…", 14],
    ["\u001b[31mSTALE\u001b[0m", 5],
    ["写真", 4],
    ["한국어", 6],
    ["ﾊﾝｶｸ", 4],
    ["e\u0301te\u0301", 3],
    ["🎞 film", 6],
    ["📷", 2],
  ])("of %j is %i columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe("foldLine", () => {
  it("leaves alone what fits, and breaks the rest where a terminal would, without losing anything", () => {
    expect(foldLine("abc", 3)).toEqual(["abc"]);
    expect(foldLine("abcdefg", 3)).toEqual(["abc", "def", "g"]);
    expect(foldLine("\u001b[31mabcd\u001b[0m", 3)).toEqual(["\u001b[31mabc", "d\u001b[0m"]);
    expect(foldLine("a写真b", 3)).toEqual(["a写", "真b"]);
  });

  it("ends on a terminal that is narrower than a character", () => {
    expect(foldLine("写真", 1)).toEqual(["写", "真"]);
  });
});

it("keeps the columns of a table under each other, whatever is in them", () => {
  const lines = formatTable(
    ["FILE", "JOB"],
    [
      ["写真.jpg", "home"],
      ["\u001b[1mé\u001b[0m", "mail"],
    ],
  ).split("\n");
  expect(lines).toEqual(["FILE      JOB", "写真.jpg  home", "\u001b[1mé\u001b[0m         mail", ""]);
});

it("wraps by what is to be seen, and takes ends of lines for blanks", () => {
  expect(wrapText("写真 写真 写真", { width: 9 })).toEqual(["写真 写真", "写真"]);
  expect(wrapText("first\nsecond\tthird", { width: 14, first: "  ", rest: "    " })).toEqual([
    "  first second",
    "    third",
  ]);
});

it("does not let a name turn the direction of what stands beside it", () => {
  expect(printable("invoice\u202efdp.exe")).toBe("invoice\ufffdfdp.exe");
});

it("wraps whole texts below their indent, and not what is there to be copied", () => {
  const text = "ab  cd ef\n  one two three\n    → a command that is long\n";
  expect(wrapLines(text, 9)).toBe("ab  cd ef\n  one two\n      three\n    → a command that is long\n");
  expect(wrapLines(text, Infinity)).toBe(text);
});

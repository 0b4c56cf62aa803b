import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLineSplitter, longestLine } from "../../../src/process/line-splitter.ts";

function split(...chunks: (string | Buffer)[]): [line: string, overwrites: boolean][] {
  const lines: [string, boolean][] = [];
  const splitter = createLineSplitter((line, overwrites) => lines.push([line, overwrites]));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk as string));
  splitter.end();
  return lines;
}

const texts = (lines: [string, boolean][]) => lines.map(([line]) => line);

describe("the line splitter", () => {
  it("joins what chunks cut apart, characters included", () => {
    const bytes = Buffer.from("schön\nweiter");
    expect(texts(split(bytes.subarray(0, 4), bytes.subarray(4)))).toEqual(["schön", "weiter"]);
  });

  it("keeps empty lines and takes CR LF for one line end", () => {
    expect(texts(split("a\r\n\nb\r", "\nc"))).toEqual(["a", "", "b", "c"]);
  });

  it("marks what follows a carriage return, as progress displays do", () => {
    expect(split("name\n\r  1%\r  2%\r\nend\n")).toEqual([
      ["name", false],
      ["  1%", true],
      ["  2%", true],
      ["end", false],
    ]);
  });

  it("hands on the last line when its end is missing, and nothing for an empty stream", () => {
    expect(texts(split("a\nb"))).toEqual(["a", "b"]);
    expect(split()).toEqual([]);
  });

  it("cuts an endless line into pieces without cutting a character", () => {
    const lines = texts(split("x" + "😀".repeat(longestLine)));
    expect(lines.join("")).toBe("x" + "😀".repeat(longestLine));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(longestLine);
    expect(lines.every((line) => Buffer.from(line).toString() === line)).toBe(true);
  });

  it("gives the same lines however the bytes are cut", () => {
    const piece = fc.constantFrom("a", "é", "😀", "\n", "\r", "\r\n", " ");
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.nat(60)), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(""));
        const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(split(...chunks)).toEqual(split(bytes));
      }),
    );
  });
});

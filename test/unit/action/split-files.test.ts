import { describe, expect, it } from "vitest";
import { splitFiles } from "../../../src/action/split-files.ts";

const files = (count: number, bytes = 0) =>
  Array.from({ length: count }, (_, index) => ({ path: `directory-${index >> 4}/file-${index}`, bytes }));

describe("splitting a list of files", () => {
  it("keeps the order, loses nothing, and makes parts of the same weight", () => {
    const all = files(4000, 2000);
    const parts = splitFiles(all, 4);
    expect(parts.flat()).toEqual(all);
    expect(parts.map(({ length }) => length)).toEqual([1000, 1000, 1000, 1000]);
  });

  it("does not pay a session for little", () => {
    expect(splitFiles([], 4)).toEqual([]);
    expect(splitFiles(files(200), 4)).toEqual([]);
    expect(splitFiles(files(300), 4)).toHaveLength(2);
  });

  it("does not divide a file, and has no part without one", () => {
    const large = { path: "large", bytes: 1_000_000_000 };
    expect(splitFiles([large], 4)).toEqual([]);
    const parts = splitFiles([...files(100, 1000), large, ...files(100, 1000)], 4);
    expect(parts.flat()).toHaveLength(201);
    expect(parts.every(({ length }) => length > 0)).toBe(true);
    expect(parts.find((part) => part.includes(large))!.length).toBeLessThanOrEqual(201);
  });
});

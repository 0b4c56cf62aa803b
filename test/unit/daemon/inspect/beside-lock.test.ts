import { expect, test } from "vitest";
import { readBeside } from "../../../../src/daemon/inspect/beside-lock.ts";

test("what lies beside locks is read by their numbers, and nonsense is passed over", () => {
  const lines = [
    "BESIDE 0 hold",
    "BROKEN 0 61 abc_-9",
    "BROKEN 0 5 a b",
    "BESIDE 1 none",
    "BROKEN 7 5 abc",
    "BESIDE 9 hold",
    "gibberish",
  ];
  expect(readBeside(lines, ["/l/a", "/l/b", "/l/c"])).toEqual([
    { hasHold: true, broken: [{ name: "/l/a.broken.abc_-9", ageSeconds: 61 }] },
    { hasHold: false, broken: [] },
    undefined,
  ]);
});

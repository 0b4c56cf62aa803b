import { EventEmitter } from "node:events";
import { expect, it, onTestFinished } from "vitest";
import { openFullScreen } from "../../../src/cli/full-screen.ts";

function open(columns: number, rows: number) {
  let text = "";
  const terminal = Object.assign(new EventEmitter(), {
    ...{ columns, rows, isTTY: true },
    write: (more: string) => void (text += more),
  });
  const screen = openFullScreen(terminal, () => undefined);
  onTestFinished(() => screen.close());
  return {
    /** The rows that a drawing fills; nothing of it moves the screen. */
    draw: (lines: readonly string[], foot: string): string[] => {
      text = "";
      screen.show(lines, foot);
      return text.replaceAll(/\u001b\[[\d;]*[A-Za-z]/g, "").split("\r\n");
    },
  };
}

it("shows what there is, and the foot below it", () => {
  expect(open(20, 5).draw(["one", "two"], "foot")).toEqual(["one", "two", "foot"]);
  expect(open(20, 3).draw(["one", "two"], "foot")).toEqual(["one", "two", "foot"]);
});

it("says how much there is no room for", () => {
  expect(open(20, 4).draw(["1", "2", "3", "4", "5"], "foot")).toEqual(["1", "2", "… 3 more lines", "foot"]);
});

it("counts a line that is wider than the terminal as the rows it takes", () => {
  expect(open(4, 4).draw(["abcdefgh", "x"], "foot")).toEqual(["abcd", "efgh", "x", "foot"]);
  expect(open(4, 3).draw(["abcdefgh", "x"], "a foot")).toEqual(["abcd", "… 2 more lines".slice(0, 4), "a fo"]);
});

it("is never higher than the terminal, however small that is", () => {
  for (const rows of [1, 2, 3])
    expect(open(10, rows).draw(["1", "2", "3", "4"], "foot").length).toBeLessThanOrEqual(rows);
});

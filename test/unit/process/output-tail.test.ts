import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOutputTail } from "../../../src/process/output-tail.ts";

describe("the output tail", () => {
  it("keeps everything that fits", () => {
    const tail = createOutputTail(100);
    tail.addLine("one");
    tail.addLine("zwölf");
    expect(tail.text()).toBe("one\nzwölf\n");
  });

  it("drops the oldest lines, and never shows half of one", () => {
    const tail = createOutputTail(20);
    for (const line of ["first", "second", "third", "fourth"]) tail.addLine(line);
    expect(tail.text()).toBe("third\nfourth\n");
  });

  it("shows the end of a line that alone is too long, in whole characters", () => {
    const tail = createOutputTail(10);
    tail.addLine("ü".repeat(50));
    expect(tail.text()).toBe("üüüü\n");
  });

  it("is always an end of the whole output, within its limit, and nothing is dropped without need", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: "grapheme", maxLength: 40 })),
        fc.integer({ min: 8, max: 64 }),
        (lines, limit) => {
          const clean = lines.map((line) => line.replaceAll("\n", ""));
          const tail = createOutputTail(limit);
          for (const line of clean) tail.addLine(line);
          const whole = clean.map((line) => `${line}\n`).join("");
          expect(whole.endsWith(tail.text())).toBe(true);
          expect(Buffer.byteLength(tail.text())).toBeLessThanOrEqual(limit);
          if (Buffer.byteLength(whole) <= limit) expect(tail.text()).toBe(whole);
        },
      ),
    );
  });
});

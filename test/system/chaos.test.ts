import { rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { runChaos } from "../chaos/chaos.ts";
import { describeVerdict } from "../chaos/check-history.ts";
import { whyNoLab } from "../chaos/why-no-lab.ts";

const seed = 20_261_120;

describe("fourteen directors on four hosts where everything goes wrong", () => {
  it("keep one writer, lose no lock, and have their turn", async (context) => {
    const missing = whyNoLab();
    if (missing !== undefined) context.skip(missing);
    const say = (line: string) => console.log(line);
    const { directory, rounds, verdict } = await runChaos({ minutes: 2, seed, signal: context.signal, say });
    console.log([`rounds ${rounds}, seed ${seed}, history in ${directory}`, ...describeVerdict(verdict)].join("\n"));
    expect(verdict.violations).toEqual([]);
    expect(verdict.figures.runs).toBeGreaterThan(50);
    expect(verdict.figures.faults).toBeGreaterThan(5);
    await rm(directory, { recursive: true });
  });
});

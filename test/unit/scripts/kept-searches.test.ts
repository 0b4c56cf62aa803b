import { describe, expect, it } from "vitest";
import { describeKept, namesToSearch, readKept } from "../../../scripts/model/kept-searches.mjs";

/** A full search takes too long for every change, so that its figures are kept; this is what keeps them true. */
describe("the kept searches of the lock model", () => {
  const kept = readKept();

  it("are of the model as it is", () => {
    const again = namesToSearch().join(" ");
    const advice = `searched with another model or not at all: npm run model -- --keep --outdated ${again}`;
    expect(again, advice).toBe("");
  });

  it("all visited states, and were made by a spin that says its version", () => {
    expect(kept.length).toBeGreaterThan(40);
    for (const { name, states, depth, date, spin } of kept) {
      expect({ name, ran: states > 0 && depth > 0 }).toEqual({ name, ran: true });
      expect({ date, spin }).toEqual({
        date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        spin: expect.stringMatching(/^Spin Version \d/),
      });
    }
  });

  it("are asked for again when something that decides them has changed, and when they are missing", () => {
    const [first, second, ...others] = kept;
    if (first === undefined || second === undefined) throw new Error("nothing is kept");
    expect(namesToSearch([{ ...first, hash: "of another model" }, second, ...others])).toContain(first.name);
    expect(namesToSearch([first, ...others])).toContain(second.name);
    expect(namesToSearch([])).not.toContain("pair-deep");
  });

  it("are told apart from what was not searched", () => {
    const page = describeKept(kept.slice(1));
    expect(page).toMatch(new RegExp(`There are no figures of: .*\`${kept[0]?.name}\``));
    expect(page).toContain(`${kept.length - 1} of `);
  });
});

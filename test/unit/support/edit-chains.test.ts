import { describe, expect, it } from "vitest";
import { brokenChains, doubledEdits } from "../../support/edit-chains.ts";

const chain = "File: a\n+edit 1.\n====\n-edit 1.\n+edit 7.\n====\n";

describe("the chains of edits in a change log", () => {
  it("are whole when each edit takes the place of the one before", () => {
    expect(doubledEdits(chain)).toEqual([]);
    expect(brokenChains(chain)).toEqual([]);
  });

  it("show an edit that was noted twice", () => {
    expect(doubledEdits(`${chain}-edit 1.\n+edit 7.\n`)).toEqual(["+edit 7. 2 times"]);
  });

  it("may begin with edits that were there before", () => {
    expect(brokenChains("-edit 2.\n+edit 7.\n", 2)).toEqual([]);
    expect(brokenChains("-edit 3.\n+edit 7.\n", 2)).toEqual(["-edit 3."]);
  });

  it("show an edit whose previous copy was lost", () => {
    expect(brokenChains(`${chain}-edit 3.\n+edit 8.\n`)).toEqual(["-edit 3."]);
  });
});

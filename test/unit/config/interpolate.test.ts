import { describe, expect, test } from "vitest";
import { interpolate } from "../../../src/config/interpolate.ts";

const env = { NAME: "value", EMPTY: "", NESTED: "${NAME}" };

describe("interpolate", () => {
  test.each([
    ["${NAME}", "value"],
    ["a-${NAME}-b", "a-value-b"],
    ["${NONE:-x}", "x"],
    ["${NONE:-}", ""],
    ["${EMPTY:-x}", "x"],
    ["${EMPTY}", ""],
    ["${NAME:-x}", "value"],
    ["${NONE:-a:-b $c}", "a:-b $c"],
    ["$${NAME}", "${NAME}"],
    ["$NAME $(NAME) $$", "$NAME $(NAME) $$"],
    ["${NESTED}", "${NAME}"],
  ])("reads %j as %j", (text, expected) => {
    expect(interpolate(text, env)).toEqual({ text: expected });
  });

  test.each([
    ["${NONE}", /variable NONE is not set/],
    ["${}", /is not a variable/],
    ["${1X}", /is not a variable/],
    ["${NAME", /is not a variable/],
    ["${NAME:?x}", /is not a variable/],
    ["${constructor}", /variable constructor is not set/],
  ])("refuses %j", (text, message) => {
    expect(interpolate(text, Object.assign(Object.create(null) as object, env))).toEqual({
      problem: expect.stringMatching(message),
    });
  });
});

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { copyFixtures, expectedMessage, fixtureEnv, fixtureNames } from "../../support/config-fixtures.ts";

const names = fixtureNames("invalid");

describe("a wrong configuration", () => {
  test("is shown in at least forty ways", () => {
    expect(names.length).toBeGreaterThanOrEqual(40);
  });

  test.each(names)("%s is refused with the message beside it", async (name) => {
    const directory = await copyFixtures("invalid");
    const error: unknown = await loadConfig(join(directory, name), { env: fixtureEnv }).then(
      () => "it was accepted",
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(OperatorError);
    const { kind, message } = error as OperatorError;
    expect(kind).toBe("usage");
    expect(message.replaceAll(`${directory}/`, "")).toBe(await expectedMessage(name));
  });
});

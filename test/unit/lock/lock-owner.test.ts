import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { describeOwner } from "../../../src/lock/lock-owner.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

describe("the owner of locks", () => {
  it("is of the same machine as long as this is up, where the machine has no id", async () => {
    const [one, other] = await Promise.all(
      ["one", "other"].map((name) => describeOwner({ inst: "i", name }, "/nonexistent/machine-id")),
    );
    expect(one?.machine).toMatch(/^[0-9a-f]{16}$/);
    expect(other?.machine).toBe(one?.machine);
  });

  it("is of another machine than one with another id, and an empty id is none", async () => {
    const directory = await makeTempDir();
    const machineOf = async (id: string) => {
      await writeFile(join(directory, "machine-id"), id);
      return (await describeOwner({ inst: "i", name: "n" }, join(directory, "machine-id"))).machine;
    };
    const nameless = (await describeOwner({ inst: "i", name: "n" }, "/nonexistent/machine-id")).machine;
    expect(await machineOf("1\n")).not.toBe(await machineOf("2\n"));
    expect(await machineOf("\n")).toBe(nameless);
  });
});

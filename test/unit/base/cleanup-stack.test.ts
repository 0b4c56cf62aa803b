import { describe, expect, it } from "vitest";
import { CleanupStack } from "../../../src/base/cleanup-stack.ts";
import { silentLogger } from "../../../src/base/logger.ts";

describe("clean-up stack", () => {
  it("undoes in the opposite order, once", async () => {
    const done: string[] = [];
    const stack = new CleanupStack(silentLogger);
    stack.defer("first", () => void done.push("first"));
    stack.defer("second", async () => void done.push("second"));
    expect(await stack.unwind()).toEqual([]);
    expect(await stack.unwind()).toEqual([]);
    expect(done).toEqual(["second", "first"]);
  });

  it("goes on after a step that fails, and names it", async () => {
    const done: string[] = [];
    const logged: unknown[] = [];
    const log = { ...silentLogger, error: (fields: unknown) => void logged.push(fields) };
    const stack = new CleanupStack(log);
    stack.defer("first", () => void done.push("first"));
    stack.defer("second", () => Promise.reject(new Error("broken")));
    expect(await stack.unwind()).toEqual(["second"]);
    expect(done).toEqual(["first"]);
    expect(logged).toEqual([{ step: "second", error: "broken" }]);
  });
});

import { expect, it } from "vitest";
import { bytesMovedBy, livingMembers, signalGroup, signalProcess } from "../../../src/process/process-group.ts";

it.each([1, 0, -1, 1.5, Number.NaN])("never signals the number %s, which would reach other processes", (pid) => {
  expect(() => signalProcess(pid, "SIGTERM")).toThrow(RangeError);
  expect(() => signalGroup(pid, "SIGTERM")).toThrow(RangeError);
  expect(() => livingMembers(pid)).toThrow(RangeError);
});

it("knows that a process and a group that do not exist are gone", () => {
  const unused = 2 ** 22 - 1;
  expect(signalProcess(unused, "SIGTERM")).toBe(false);
  expect(signalGroup(unused, "SIGTERM")).toBe(false);
  expect(livingMembers(unused)).toEqual([]);
  expect(bytesMovedBy(unused)).toEqual(new Map());
});

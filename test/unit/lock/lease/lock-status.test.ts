import { expect, it } from "vitest";
import { formatStatus, longestStatus, parseStatus, type LockStatus } from "../../../../src/lock/lease/lock-status.ts";

const token = "t".repeat(22);
const status: LockStatus = {
  ...{ token, job: "home", action: "copy", started: "2026-03-01T00:00:00.000Z", at: "2026-03-01T00:01:00.000Z" },
  ...{ percent: 43, bytes: 1e9, rate: 1e6, eta: "2026-03-01T00:20:00.000Z" },
};

it("is read as it was written", () => {
  expect(parseStatus(formatStatus(status) ?? "", token)).toEqual(status);
  const bare = { ...status, percent: null, bytes: null, rate: null, eta: null };
  expect(parseStatus(formatStatus(bare) ?? "", token)).toEqual(bare);
});

it("is one line, and not written when it is too long", () => {
  expect(formatStatus({ ...status, action: "two\nlines" })).not.toContain("\n");
  expect(formatStatus({ ...status, action: "a".repeat(longestStatus) })).toBeUndefined();
});

it.each([
  ["of another lock", formatStatus({ ...status, token: "u".repeat(22) })],
  ["that is cut short", formatStatus(status)?.slice(0, 60)],
  ["that is no object", "null"],
  ["without an action", JSON.stringify({ ...status, action: 1 })],
  ["without times", JSON.stringify({ ...status, at: undefined })],
  ["that is empty", ""],
])("a file %s says nothing", (_, line) => {
  expect(parseStatus(line ?? "", token)).toBeUndefined();
});

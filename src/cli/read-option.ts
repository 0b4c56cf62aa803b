import { InvalidArgumentError } from "commander";
import { parseDuration } from "../base/duration.ts";
import { OperatorError } from "../base/errors.ts";

/** The value of `--limit`. */
export function readCount(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new InvalidArgumentError("give a number from 1 to 999999.");
}

/** The value of `--since` as wall-clock milliseconds. */
export function readSince(text: string, now: number): number {
  const ago = parseDuration(text);
  const time = ago === undefined ? Date.parse(text) : now - ago;
  if (!Number.isNaN(time)) return time;
  throw new OperatorError(`--since: "${text}" is neither a duration (2d, 90m) nor a time (2026-11-20T18:00)`, {
    kind: "usage",
  });
}

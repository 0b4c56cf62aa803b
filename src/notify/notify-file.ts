import { readFile } from "node:fs/promises";
import { systemErrorCode } from "../base/errors.ts";
import type { QueueState } from "./delivery-queue.ts";
import { type Memory, troubleKinds } from "./memory.ts";
import type { Notice } from "./notice.ts";

/** What of a channel outlives the director. */
export interface ChannelState {
  readonly memory: Memory;
  readonly queue: QueueState;
}

export type NotifyState = ReadonlyMap<string, ChannelState>;

export function formatNotifyState(state: NotifyState): string {
  return `${JSON.stringify({ v: 1, channels: Object.fromEntries(state) })}\n`;
}

/** Undefined: not a file of ours, or a damaged one. A channel that cannot be read in it is left out. */
export function parseNotifyState(text: string): NotifyState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["v"] !== 1 || !isObject(value["channels"])) return undefined;
  const channels = Object.entries(value["channels"]);
  if (!channels.every((entry): entry is [string, ChannelState] => isChannelState(entry[1]))) return undefined;
  return new Map(channels);
}

/** What an earlier life left. Nothing, where there is no such file. Throws the system error otherwise. */
export async function readNotifyState(file: string): Promise<NotifyState | "damaged"> {
  try {
    return parseNotifyState(await readFile(file, "utf8")) ?? "damaged";
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return new Map();
    throw error;
  }
}

function isChannelState(value: unknown): value is ChannelState {
  if (!isObject(value) || !isObject(value["memory"]) || !isObject(value["queue"])) return false;
  const { waiting, tries, dropped } = value["queue"];
  return (
    Object.entries(value["memory"]).every(([key, troubles]) => isKey(key) && isTroubles(troubles)) &&
    Array.isArray(waiting) &&
    waiting.every(isNotice) &&
    [tries, dropped].every(Number.isSafeInteger)
  );
}

function isKey(key: string): boolean {
  return /^\["[^"]*","[^"]*"\]$/.test(key);
}

function isTroubles(value: unknown): boolean {
  if (!isObject(value)) return false;
  return Object.entries(value).every(
    ([kind, trouble]) =>
      troubleKinds.some((known) => known === kind) &&
      isObject(trouble) &&
      [trouble["since"], trouble["times"]].every(isNumber) &&
      (trouble["toldAt"] === null || isNumber(trouble["toldAt"])) &&
      isText(trouble["message"]) &&
      (trouble["runId"] === null || isText(trouble["runId"])),
  );
}

const noticeTexts = ["event", "title", "message", "log", "jobId", "targetId", "instance", "host"] as const;

function isNotice(value: unknown): value is Notice {
  if (!isObject(value) || !noticeTexts.every((name) => isText(value[name]))) return false;
  const numbers = [value["exitCode"], value["durationMs"]].every((each) => each === null || isNumber(each));
  return (
    numbers &&
    isNumber(value["at"]) &&
    (value["runId"] === null || isText(value["runId"])) &&
    typeof value["isBad"] === "boolean"
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

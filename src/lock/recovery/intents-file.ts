import { readSlots } from "../../base/slotted-file.ts";
import type { LockFile } from "../../config/resolved.ts";

/** What one job of one run may have left behind when its director died. */
export interface Intent {
  readonly runId: string;
  readonly jobId: string;
  /** Kernel's boot id: process ids of another boot mean nothing. */
  readonly boot: string;
  /** As in `LockOwner`: the processes of another container cannot be seen. */
  readonly pidns?: string;
  /** Its lock files, with the way to them, whatever the configuration says by now. */
  readonly locks: readonly LockFile[];
  /** Random tokens that any of these locks may carry. */
  readonly tokens: readonly string[];
  /** Kernel locks of its writers, for each target. */
  readonly holds: readonly HeldSite[];
  /** `token key` of the locks whose one removal over sftp was sent, or may have been. */
  readonly unlinked?: readonly string[];
  /** Process groups of its children; `start` is field 22 of the leader's /proc/PID/stat. */
  readonly groups: readonly { readonly id: number; readonly start: number }[];
}

/** Kernel locks of writers at one place; `at` is the way to their host. */
export interface HeldSite {
  readonly at: LockFile;
  readonly paths: readonly string[];
  /** The one in which a token is declared dead, because a lock is on another host. */
  readonly fence?: string;
}

/** One line. */
export function formatIntents(intents: readonly Intent[]): string {
  return JSON.stringify({ v: 1, intents });
}

/** Undefined: not a file of ours, or a damaged one. Before there were slots the JSON was all that the file contained. */
export function parseIntents(text: string): readonly Intent[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readSlots(text) ?? text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value["v"] !== 1) return undefined;
  const { intents } = value;
  const read = Array.isArray(intents) ? intents.map(withHoldsListed) : intents;
  return isListOf(read, isIntent) ? read : undefined;
}

/** Before there were several targets, one place was written, or null. */
function withHoldsListed(intent: unknown): unknown {
  if (!isObject(intent) || Array.isArray(intent["holds"])) return intent;
  const { holds } = intent;
  return { ...intent, holds: holds === null ? [] : [holds] };
}

function isIntent(value: unknown): value is Intent {
  if (!isObject(value)) return false;
  return (
    [value["runId"], value["jobId"], value["boot"]].every(isText) &&
    isListOf(value["locks"], isLockFile) &&
    isListOf(value["tokens"], isText) &&
    isListOf(value["groups"], isGroup) &&
    ["string", "undefined"].includes(typeof value["pidns"]) &&
    (value["unlinked"] === undefined || isListOf(value["unlinked"], isText)) &&
    isListOf(value["holds"], isHeldSite)
  );
}

function isHeldSite(value: unknown): value is HeldSite {
  if (!isObject(value) || !isLockFile(value["at"]) || !isListOf(value["paths"], isText)) return false;
  return value["fence"] === undefined || isText(value["fence"]);
}

function isLockFile(value: unknown): value is LockFile {
  if (!isObject(value) || !isText(value["path"])) return false;
  if (value["type"] === "local") return true;
  const { endpoint } = value;
  return value["type"] === "remote" && isObject(endpoint) && isText(endpoint["host"]) && isObject(endpoint["options"]);
}

function isGroup(value: unknown): value is Intent["groups"][number] {
  return isObject(value) && [value["id"], value["start"]].every(Number.isSafeInteger);
}

function isListOf<Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

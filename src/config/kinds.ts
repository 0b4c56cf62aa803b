import { durationPattern } from "../base/duration.ts";
import { hookMoments, noticeEvents } from "./notice-words.ts";

/**
 * Kinds of values that many keys share. The schema takes the pattern, the messages take the words;
 * both name the kind by the schema keyword `x-kind`.
 */
export interface Kind {
  readonly pattern: string;
  /** Completes "must be …". */
  readonly expected: string;
}

const noControl = "\\u0000-\\u001f\\u007f";
const portNumber = "6553[0-5]|655[0-2]\\d|65[0-4]\\d{2}|6[0-4]\\d{3}|[1-5]\\d{4}|[1-9]\\d{0,3}";

/** A check of healthchecks recovers by a success. */
const pingEvents = noticeEvents.filter((event) => event !== "recovery");

/** More digits would leave the range in which milliseconds are exact. */
const sensibleDigits = "(?!.*\\d{8})";

export const kinds = {
  duration: {
    pattern: `^${sensibleDigits}${durationPattern.slice(1)}`,
    expected: "a duration: seconds, or a text such as 90s, 15m, 2h 30m or 7d",
  },
  "positive-duration": {
    pattern: `^(?=.*[1-9])${sensibleDigits}${durationPattern.slice(1)}`,
    expected: "a duration longer than zero: seconds, or a text such as 90s, 15m, 2h 30m or 7d",
  },
  days: {
    pattern: `^(?=.*[1-9])${sensibleDigits}${durationPattern.slice(1)}`,
    expected: "a number of days, or a duration such as 12w",
  },
  port: { pattern: `^0*(${portNumber})$`, expected: "a port number from 1 to 65535" },
  "listen-port": { pattern: `^0*(0|${portNumber})$`, expected: "a port number from 0 to 65535" },
  id: {
    pattern: "^[A-Za-z0-9_.-]{1,64}$",
    expected: "a name of 1 to 64 letters, digits, dots, dashes and underscores",
  },
  host: {
    pattern: "^(?:[A-Za-z0-9_][A-Za-z0-9_.+-]*|\\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?\\]?)$",
    expected: "a host name, an alias of the ssh configuration or an address",
  },
  user: {
    pattern: "^[A-Za-z0-9_][^\\s\\u0000-\\u001f\\u007f:/'\"`;&<>|(){}$*?]*$",
    expected: "a user name",
  },
  "listen-address": {
    pattern: "^[A-Za-z0-9_.:%\\[\\]-]+$",
    expected: "an address to listen on, such as 127.0.0.1 or ::1",
  },
  "host-and-port": {
    pattern: `^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\\[[0-9A-Fa-f:.]+\\])(?::0*(?:${portNumber}))?$`,
    expected: "a host name or an address ([…] around one of IPv6), with or without :port",
  },
  cron: {
    pattern: "\\S",
    expected: 'a cron expression of five fields, such as "30 2 * * *"',
  },
  "file-path": { pattern: `^(?:/|~/)[^${noControl}]*$`, expected: "an absolute path (or one that begins with ~/)" },
  "lock-path": {
    pattern: `^(?!.*/\\.\\.?(?:/|$))/[^${noControl}]*[^/${noControl}]$`,
    expected: "the absolute path of a file, without . and .. in it",
  },
  operand: { pattern: `^[^${noControl}]+$`, expected: "a path" },
  "remote-path": { pattern: `^/[^${noControl}]*$`, expected: "an absolute path" },
  line: { pattern: `^[^${noControl}]+$`, expected: "a text of one line" },
  argument: { pattern: "^[^\\u0000]*$", expected: "a text" },
  options: { pattern: "\\S", expected: "a text with one or more options" },
  command: { pattern: "\\S", expected: "a program, with or without arguments" },
  "notice-event": { pattern: `^(?:${noticeEvents.join("|")})$`, expected: `one of ${noticeEvents.join(", ")}` },
  "ping-event": { pattern: `^(?:${pingEvents.join("|")})$`, expected: `one of ${pingEvents.join(", ")}` },
  "hook-moment": { pattern: `^(?:${hookMoments.join("|")})$`, expected: `one of ${hookMoments.join(", ")}` },
  "job-pattern": {
    pattern: "^[A-Za-z0-9_.*?-]{1,64}$",
    expected: "the id of a job, or a pattern for ids with * and ?",
  },
  url: {
    pattern: `^https?://[^\\s/?#${noControl}]+[^\\s${noControl}]*$`,
    expected: "an address that begins with https:// or http://",
  },
  topic: { pattern: "^[A-Za-z0-9_-]{1,64}$", expected: "a topic of 1 to 64 letters, digits, dashes and underscores" },
  mailbox: {
    pattern: `^[^${noControl}]*[^\\s@<>,;${noControl}]+@[^\\s@<>,;${noControl}]+>?$`,
    expected: "an e-mail address, such as root@example.org or Backups <backup@example.org>",
  },
  size: {
    pattern: "^\\d+(?:\\.\\d+)?[KMGTkmgt]?(?:i?[Bb])?$",
    expected: "a size: bytes, or a text such as 500K, 10M or 1G",
  },
  bandwidth: {
    pattern: "^\\d+(?:\\.\\d+)?(?:[KMGTkmgt](?:i?[Bb])?)?$",
    expected: "a rate: KiB per second, or a text such as 500K or 1.5M",
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;

export function isKindName(name: unknown): name is KindName {
  return typeof name === "string" && Object.hasOwn(kinds, name);
}

/** Says what exactly is wrong with a text, where that is easy to overlook; undefined otherwise. */
export function explainMismatch(name: KindName, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (value === "") return "it is empty";
  const control = /[\u0000-\u001f\u007f]/.exec(value);
  if (control !== null && name !== "argument" && !name.endsWith("duration") && name !== "days") {
    return `it contains a control character (${JSON.stringify(control[0]).slice(1, -1)})`;
  }
  if ((name === "host" || name === "user") && value.startsWith("-"))
    return "ssh would take the leading - for an option";
  if (name === "host" && value.includes("@")) return "give the user with the key user";
  if (name === "lock-path" && value.startsWith("~")) return "~ is not expanded in lock files";
  if (name === "lock-path" && value.endsWith("/")) return "that names a directory";
  return undefined;
}

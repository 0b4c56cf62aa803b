import { keepRsyncOptions, rsyncOptionNames } from "../base/rsync-words.ts";
import { buildRsyncCommand } from "./command.ts";
import type { RsyncCommandSpec } from "./command.ts";
import { structuredWords } from "./structured-words.ts";

/** A line of `--list-only`: the mode's letter and the name. */
export interface ListedEntry {
  readonly type: string;
  readonly name: string;
}

/** A look must not take long: what is silent for this many seconds counts as unreadable. */
const listTimeoutSeconds = 30;

/** Options that say how the other side is reached or how paths get there. */
const reaching: ReadonlySet<string> = new Set(
  ["rsh", "rsync-path", "secluded-args", "no-secluded-args", "old-args", "no-old-args", "protocol", "iconv"].concat([
    "4",
    "ipv4",
    "6",
    "ipv6",
    "blocking-io",
    "no-blocking-io",
    "sockopts",
  ]),
);
const followingAll = ["copy-links", "L", "copy-unsafe-links"];
const followingDirectories = ["copy-dirlinks", "k"];

/**
 * The argv that lists one source of a sync on the way on which the sync itself goes: no filter of the
 * sync's applies, nothing is descended into, and links are followed where the sync follows them.
 */
export function buildListCommand(spec: RsyncCommandSpec, source: string): string[] {
  const { options, opts, remote } = spec;
  const names = rsyncOptionNames([...structuredWords(options), ...opts]);
  const follow = followingAll.some((name) => names.has(name))
    ? ["--copy-links"]
    : followingDirectories.some((name) => names.has(name))
      ? ["--copy-dirlinks"]
      : [];
  return buildRsyncCommand({
    sources: [source],
    dest: undefined,
    options: { rsyncPath: options.rsyncPath, timeoutSeconds: listTimeoutSeconds, progress: false },
    opts: [...keepRsyncOptions(opts, (name) => reaching.has(name)), "--dirs", ...follow],
    remote,
    dryRun: false,
  });
}

/** Whether rsync takes this path for what the directory holds, and not for the directory. */
export function namesContents(source: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(source);
}

/** Undefined for what is no entry. */
export function parseListedEntry(line: string): ListedEntry | undefined {
  const match = /^(\S)\S{9,10} +[\d,.]+\S? \d+\/\d\d\/\d\d \d\d:\d\d:\d\d (.+)$/.exec(line);
  return match === null ? undefined : { type: match[1] ?? "", name: match[2] ?? "" };
}

/** Names in lists have rsync's `\#ooo` for control characters, as in its itemised output. */
export function decodeListedName(name: string): string {
  return name.replace(/\\#([01][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

import { readRsyncWords, type RsyncWord } from "./rsync-words.ts";

type RsyncOption = Extract<RsyncWord, { kind: "option" }>;

/**
 * Options with which several rsyncs and one after them leave the same as one alone (docs/parallel.md). What is not
 * here is refused: of an option that nobody thought about the result is not known.
 */
const sameInParts: ReadonlySet<string> = new Set(
  [
    "a archive r recursive l links p perms o owner g group t times D devices specials H hard-links A acls X xattrs",
    "E executability S sparse U atimes N crtimes numeric-ids chmod chown usermap groupmap munge-links safe-links",
    "z compress zc zl zt compress-choice compress-level compress-threads skip-compress W whole-file B block-size",
    "v verbose i itemize-changes h human-readable stats progress P partial temp-dir preallocate fsync",
    "u update ignore-existing existing ignore-non-existing size-only modify-window max-size min-size",
    "x one-file-system m prune-empty-dirs exclude include exclude-from include-from filter F C cvs-exclude",
    "del delete delete-during delete-delay delete-after delete-excluded max-delete mkpath O omit-dir-times",
    "J omit-link-times inc-recursive i-r bwlimit timeout rsh rsync-path secluded-args 4 ipv4 6 ipv6 sockopts",
    "blocking-io info",
    // What `--no-` turns off is not there for any of them.
    "no-l no-links no-p no-perms no-o no-owner no-g no-group no-D no-devices no-specials no-H no-hard-links no-A",
    "no-acls no-X no-xattrs no-S no-sparse no-U no-atimes no-N no-crtimes no-numeric-ids no-z no-compress no-W",
    "no-whole-file no-v no-verbose no-i no-itemize-changes no-h no-human-readable no-progress no-partial no-x",
    "no-one-file-system no-m no-prune-empty-dirs no-mkpath no-O no-omit-dir-times no-J no-omit-link-times",
    "no-inc-recursive no-i-r no-bwlimit no-timeout no-secluded-args no-blocking-io no-c no-checksum no-inplace",
    "no-append no-backup no-delay-updates no-fuzzy no-relative no-R no-force",
  ].flatMap((line) => line.split(" ")),
);

const replaced = "what it keeps of a file that is replaced could be the copy that the same sync has just made";
const twice = "the last rsync would copy, or read, everything once more";

/** Why the better known of the others are refused. */
const reasons: Readonly<Record<string, string>> = {
  b: replaced,
  backup: replaced,
  "backup-dir": replaced,
  suffix: replaced,
  "remove-source-files": "with a deletion, what the parts have moved would be deleted at dest",
  "remove-sent-files": "with a deletion, what the parts have moved would be deleted at dest",
  inplace: "two parts could write into one file that has several names at dest",
  append: "two parts could write into one file that has several names at dest",
  "append-verify": "two parts could write into one file that has several names at dest",
  "delay-updates": "files are to appear together, at the end",
  "delete-before": "room is to be made before anything is copied; use delete: true or delay",
  "partial-dir": "parts would share the directory of interrupted files; partial: true keeps them in their place",
  c: twice,
  checksum: twice,
  I: twice,
  "ignore-times": twice,
  "no-t": twice,
  "no-times": twice,
  "link-dest": "with hard links it is not known which of them the parts leave",
  "copy-dest": "it is not known what the parts leave to the last rsync",
  "compare-dest": "it is not known what the parts leave to the last rsync",
  L: "paths through a link may lead two parts to one file",
  "copy-links": "paths through a link may lead two parts to one file",
  k: "paths through a link may lead two parts to one file",
  "copy-dirlinks": "paths through a link may lead two parts to one file",
  K: "paths through a link may lead two parts to one file",
  "keep-dirlinks": "paths through a link may lead two parts to one file",
  R: "paths at the destination would depend on how the source is written",
  relative: "paths at the destination would depend on how the source is written",
  "files-from": "the lists are made of what has to be copied",
  q: "nothing would tell what has been copied",
  quiet: "nothing would tell what has been copied",
  "out-format": "its lines would not be told of what the parts copy; use -i",
  "log-format": "its lines would not be told of what the parts copy; use -i",
};

const halfCopied = "with --ignore-existing what a part leaves of a file when it is stopped would be taken for the file";
const severalNames =
  "with --ignore-existing the last rsync passes over the name that a part has copied, and would not link others to it";

/** What goes wrong where the last rsync, or a further try, skips whatever is there. */
const spoiltBySkipping: Readonly<Record<string, string>> = {
  P: halfCopied,
  partial: halfCopied,
  H: severalNames,
  "hard-links": severalNames,
};

/** An option that cannot be used where a sync is split, and why. */
export function parallelConflict(words: readonly string[]): { shown: string; why: string } | undefined {
  const options = readRsyncWords(words).filter((word) => word.kind === "option");
  const names = new Set(options.map(({ name }) => name));
  const namesAttributes = options.find(({ name }) => name === "filter" || name === "F");
  if (namesAttributes !== undefined && (names.has("X") || names.has("xattrs"))) {
    return {
      shown: namesAttributes.shown,
      why: "its rules may name extended attributes, which a list of files cannot",
    };
  }
  if (names.has("ignore-existing")) {
    const spoilt = options.find(({ name }) => Object.hasOwn(spoiltBySkipping, name));
    if (spoilt !== undefined) return { shown: spoilt.shown, why: spoiltBySkipping[spoilt.name] ?? "" };
  }
  for (const option of options) {
    const why = conflictOf(option);
    if (why !== undefined) return { shown: option.shown, why };
  }
  return undefined;
}

function conflictOf({ name, value = "" }: RsyncOption): string | undefined {
  if (name === "info" && !/^(?:(?:progress|stats)\d?(?:,|$))+$/.test(value)) {
    return "what it asks for or hides would be told of the last rsync only; use -v or -i";
  }
  if (name === "bwlimit" && shareOfBandwidth(value, 1) === undefined) return "its value cannot be divided";
  if (value === "-" && name.endsWith("-from")) return "standard input has the list of what is to be copied";
  if (sameInParts.has(name)) return undefined;
  return Object.hasOwn(reasons, name) ? reasons[name] : "it is not known to leave the same where a sync is split";
}

const powers: Readonly<Record<string, number>> = { "": 1, k: 1, m: 2, g: 3, t: 4 };

/**
 * A part of a limit of the transfer rate, in KiB per second, as which rsync reads a plain number; "0": no limit.
 * undefined: it is no limit that is understood here.
 */
export function shareOfBandwidth(limit: string, parts: number): string | undefined {
  const match = /^(\d+(?:\.\d+)?)([kmgt]?)(i?b)?$/i.exec(limit.trim());
  if (match === null) return undefined;
  const [, amount = "", unit = "", ending = ""] = match;
  const isDecimal = unit !== "" && ending.toLowerCase() === "b";
  const kib = (Number(amount) * (isDecimal ? 1000 : 1024) ** (powers[unit.toLowerCase()] ?? 1)) / 1024;
  return kib === 0 ? "0" : String(Math.max(1, Math.floor(kib / parts)));
}

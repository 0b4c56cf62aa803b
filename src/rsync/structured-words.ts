import type { RsyncOptions } from "../base/rsync-options.ts";

type Switch = { [Name in keyof RsyncOptions]-?: boolean extends RsyncOptions[Name] ? Name : never }[keyof RsyncOptions];

const switches: readonly (readonly [Switch, string])[] = [
  ["archive", "--archive"],
  ["hardLinks", "--hard-links"],
  ["acls", "--acls"],
  ["xattrs", "--xattrs"],
  ["numericIds", "--numeric-ids"],
  ["oneFileSystem", "--one-file-system"],
  ["compress", "--compress"],
  ["update", "--update"],
  ["checksum", "--checksum"],
  ["ignoreExisting", "--ignore-existing"],
  ["partial", "--partial"],
  ["sparse", "--sparse"],
  ["inplace", "--inplace"],
  ["wholeFile", "--whole-file"],
  ["mkpath", "--mkpath"],
  ["backup", "--backup"],
  ["deleteExcluded", "--delete-excluded"],
  ["removeSourceFiles", "--remove-source-files"],
  ["verbose", "--verbose"],
  ["itemizeChanges", "--itemize-changes"],
];

/**
 * The words for structured options. rsync takes the first filter rule that matches, so includes come
 * before excludes: an include is an exception from an exclude.
 */
export function structuredWords(options: RsyncOptions): string[] {
  return [
    ...switches.filter(([name]) => options[name] === true).map(([, word]) => word),
    ...(options.wholeFile === false ? ["--no-whole-file"] : []),
    ...(options.recursion === "whole" ? ["--no-inc-recursive"] : []),
    ...deleteWord(options.delete),
    ...valued("--max-delete", options.maxDelete),
    ...valued("--bwlimit", options.bwlimit),
    ...valued("--timeout", options.timeoutSeconds),
    ...valued("--modify-window", options.modifyWindow),
    ...each("--filter", options.filter),
    ...each("--include", options.include),
    ...valued("--include-from", options.includeFrom),
    ...each("--exclude", options.exclude),
    ...valued("--exclude-from", options.excludeFrom),
    ...each("--link-dest", options.linkDest),
    ...valued("--backup-dir", options.backupDir),
    ...valued("--suffix", options.suffix),
    ...valued("--partial-dir", options.partialDir),
    ...valued("--temp-dir", options.tempDir),
    ...valued("--chmod", options.chmod),
    ...valued("--chown", options.chown),
    ...valued("--rsync-path", options.rsyncPath),
  ];
}

function deleteWord(when: RsyncOptions["delete"]): string[] {
  if (when === undefined || when === false) return [];
  return [when === true ? "--delete" : `--delete-${when}`];
}

/** Joined by "=": a value that begins with "-" must not be taken for an option. */
function valued(word: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`${word}=${value}`];
}

function each(word: string, values: readonly string[] | undefined): string[] {
  return (values ?? []).map((value) => `${word}=${value}`);
}

import { listTransferConflict } from "../base/list-transfer-conflicts.ts";
import { readRsyncWords } from "../base/rsync-words.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { type OptsReport, splitOpts } from "./rsync-opts.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";

interface SyncContext {
  job: RawJob;
  path: KeyPath;
  log: ProblemLog;
  report: Pick<OptsReport, "directories">;
}

/** What must not stand beside `extensions`, and not in a job that sends changed paths one by one. */
export function checkSyncPaths(sync: Partial<RawSyncAction>, { job, path, log, report }: SyncContext): void {
  const { words } = splitOpts(sync.opts ?? []);
  checkExtensions(sync, words, (key, message) => log.error([...path, ...key], message));
  if (job.watch === undefined) return;
  const conflict = listTransferConflict(words);
  if (conflict !== undefined) {
    log.error([...path, "opts"], `${conflict.shown} cannot be used in a job that watches: ${conflict.why}; remove it`);
  }
  if (log.isSound([...path, "opts"]) && log.isSound([...path, "rsync"]) && report.directories !== "tree") {
    log.error(
      path,
      "a job that watches has to copy directories with all below: add rsync: {archive: true}, or -r to opts",
    );
  }
}

function checkExtensions(
  { extensions, rsync = {} }: Partial<RawSyncAction>,
  words: readonly string[],
  error: (key: KeyPath, message: string) => void,
): void {
  if (extensions === undefined || extensions.length === 0) return;
  for (const [index, ending] of extensions.entries()) {
    if (ending.includes("/")) error(["extensions", index], "is no ending of a file's name: it contains a slash");
  }
  const options = readRsyncWords(words).filter((word) => word.kind === "option");
  if (rsync.delete_excluded === true || options.some(({ name }) => name === "delete-excluded")) {
    const key = rsync.delete_excluded === true ? ["rsync", "delete_excluded"] : ["opts"];
    error(key, "cannot stand beside extensions: every file with another ending would be deleted at dest; remove it");
  }
  const structured = [rsync.include ?? []].flat().find(letsFilesIn);
  const inOpts = options.find(({ name, value = "" }) => {
    if (name === "include" || (name === "exclude" && value.startsWith("+ "))) return letsFilesIn(value);
    return name === "filter" && letsFilesInRule(value);
  });
  const rule = [rsync.filter ?? []].flat().find(letsFilesInRule);
  const remedy =
    "would let in files with other endings than those of extensions: use exclude, or end it with / for a directory";
  if (structured !== undefined) error(["rsync", "include"], `${JSON.stringify(structured)} ${remedy}`);
  if (rule !== undefined) error(["rsync", "filter"], `${JSON.stringify(rule)} ${remedy}`);
  if (inOpts !== undefined) error(["opts"], `${inOpts.shown} ${JSON.stringify(inOpts.value)} ${remedy}`);
}

function letsFilesIn(pattern: string): boolean {
  return !pattern.startsWith("- ") && !pattern.endsWith("/");
}

function letsFilesInRule(rule: string): boolean {
  const pattern = /^(?:\+,?[^\s_]*|include(?:,[^\s_]*)?)[ _](.+)$/.exec(rule)?.[1];
  return pattern !== undefined && letsFilesIn(pattern);
}

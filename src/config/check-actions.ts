import { splitWords } from "../base/shell-words.ts";
import { checkCsync2 } from "./check-csync2.ts";
import { checkParallel } from "./check-parallel.ts";
import { checkOverlap } from "./check-overlap.ts";
import { checkSyncPaths } from "./check-sync-paths.ts";
import { isRoot, meansContents, shellLeftover, staysBelowStart } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { type OptsReport, splitOpts } from "./rsync-opts.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawCommandAction, RawCsync2Action, RawSyncAction } from "./schema-sync.ts";
import { reportOnSync } from "./sync-report.ts";
import { recordsOf, type Tree } from "./tree.ts";

/** Rules about the actions of one job that the schema cannot express. */
export function checkActions(job: RawJob, path: KeyPath, log: ProblemLog): void {
  const ids = new Map<string, number>();
  for (const [index, action] of recordsOf(job.actions)) {
    const here = [...path, "actions", index];
    const { id } = action;
    if (typeof id === "string") {
      const first = ids.get(id);
      if (first !== undefined) {
        log.error(
          [...here, "id"],
          `${JSON.stringify(id)} is the id of actions[${first}] too: give each action its own`,
        );
      }
      ids.set(id, first ?? index);
    }
    const context = { job, path: here, log };
    if (action["action"] === "sync") checkSync(soundPart<RawSyncAction>(action, context), context);
    if (action["action"] === "csync2") checkCsync2(soundPart<RawCsync2Action>(action, context), here, log);
    if (action["action"] === "command") checkCommand(soundPart<RawCommandAction>(action, context), context);
  }
}

interface ActionContext {
  job: RawJob;
  path: KeyPath;
  log: ProblemLog;
}

/** The keys of an action that nothing is wrong with; the others have been complained about. */
function soundPart<Action>(action: Tree, { path, log }: ActionContext): Partial<Action> {
  return Object.fromEntries(Object.entries(action).filter(([key]) => log.isSound([...path, key]))) as Partial<Action>;
}

function checkSync(sync: Partial<RawSyncAction>, context: ActionContext): void {
  const { job, path, log } = context;
  const report = checkSyncOpts(sync, context);
  checkSyncPaths(sync, { ...context, report });
  checkParallel(sync, { path, directories: report.directories, log });
  const pulls = job.type === "remote" && job.direction === "pull";
  for (const [index, source] of [sync.source ?? []].flat().entries()) {
    const where = Array.isArray(sync.source) ? [...path, "source", index] : [...path, "source"];
    checkOperand(source, { where, remote: pulls, log });
  }
  if (sync.dest !== undefined) {
    checkOperand(sync.dest, { where: [...path, "dest"], remote: job.type === "remote" && !pulls, log });
  }

  const block = sync.rsync ?? {};
  const deletes = report.deletes || (job.watch?.delete ?? "off") !== "off";
  if (deletes && sync.dest !== undefined && isRoot(sync.dest)) {
    log.error([...path, "dest"], "is the root directory, and the sync deletes: it would empty the host");
  }
  if (deletes && sync.dest !== undefined && !sync.dest.startsWith("/")) {
    if (job.type !== "remote" || pulls || !staysBelowStart(sync.dest)) {
      log.error([...path, "dest"], "is a relative path, and the sync deletes: write the full path");
    }
  }
  const emptiesRoot = deletes && sync.dest !== undefined && isRoot(sync.dest);
  if (job.type === "local" && sync.source !== undefined && sync.dest !== undefined && !emptiesRoot) {
    checkOverlap([sync.source].flat(), sync.dest, {
      report: { ...report, deletes },
      error: (message) => log.error([...path, "dest"], message),
      warning: (message) => log.warning([...path, "dest"], message),
    });
  }
  if (block.rsync_path !== undefined && job.allow_unsafe_opts !== true) {
    log.error([...path, "rsync", "rsync_path"], "runs a program on the other host: only with allow_unsafe_opts: true");
  }
  if (report.onlyPretends)
    log.warning([...path, "opts"], "--dry-run or --list-only is among them: nothing will ever be copied");
  if (log.isSound([...path, "opts"]) && log.isSound([...path, "rsync"]) && report.directories === "skipped") {
    if ([sync.source ?? []].flat().some(meansContents)) {
      log.error(path, "rsync would skip directories and copy nothing: add rsync: {archive: true}, or -r to opts");
    } else {
      log.warning(path, "rsync skips directories without an option such as rsync: {archive: true}, or -r in opts");
    }
  }
}

function checkSyncOpts(sync: Partial<RawSyncAction>, { job, path, log }: ActionContext): OptsReport {
  const split = splitOpts(sync.opts ?? []);
  for (const { element, problem } of split.problems) {
    log.error([...path, "opts", element], `${problem}: quote it for rsync to see it, or write it out`);
  }
  const report = reportOnSync(sync, { allowsUnsafe: job.allow_unsafe_opts === true });
  for (const problem of report.problems) log.error([...path, "opts"], problem);
  for (const warning of report.warnings) log.warning([...path, "opts"], warning);
  return report;
}

/** Source or destination: an absolute path, or one that cannot be taken for a host or a module. */
export function checkOperand(operand: string, about: { where: KeyPath; remote: boolean; log: ProblemLog }): void {
  const { where, remote, log } = about;
  if (operand.startsWith("rsync://") || /^[^/]*::/.test(operand)) {
    log.error(
      where,
      `${JSON.stringify(operand)} names an rsync daemon: only ssh is supported, with host and a plain path`,
    );
  } else if (!remote && /^[^/]*:/.test(operand)) {
    log.error(
      where,
      `rsync would take the part before the colon for a host: use type: remote with host, or begin with ./`,
    );
  } else if (operand.startsWith("-")) {
    log.error(where, "begins with -, which rsync takes for an option: write the full path");
  } else if (!remote && operand.startsWith("~")) {
    log.error(where, "~ is not expanded: write the full path");
  } else if (!remote && !/^\.{0,2}\//.test(operand) && operand !== "." && operand !== "..") {
    log.error(where, `must be an absolute path (or begin with ./); got ${JSON.stringify(operand)}`);
  } else if (!operand.startsWith("/")) {
    const start = remote
      ? "the home directory of the user on the other host"
      : "the directory in which rsyncdirector was started";
    log.warning(where, `is relative to ${start}: write the full path`);
  }
  const leftover = shellLeftover(operand);
  if (leftover !== undefined) log.warning(where, leftover);
}

function checkCommand(action: Partial<RawCommandAction>, { path, log }: ActionContext): void {
  if (action.shell === true) {
    if (action.args !== undefined)
      log.error([...path, "args"], "cannot be used with shell: true: write the arguments into command");
    return;
  }
  for (const [index, argument] of (action.args ?? []).entries()) {
    if (!/^-\S*\s/.test(argument)) continue;
    log.warning(
      [...path, "args", index],
      "is one argument with a space in it: write an element of its own for each argument",
    );
  }
  if (action.command === undefined || !log.isSound([...path, "shell"])) return;
  const result = splitWords(action.command);
  if ("problem" in result) {
    log.error(
      [...path, "command"],
      `${result.problem} (character ${result.index + 1}): quote it, or use shell: true if a shell is to run it`,
    );
  } else if (result.words[0] === undefined || result.words[0] === "") {
    log.error([...path, "command"], "names no program");
  }
}

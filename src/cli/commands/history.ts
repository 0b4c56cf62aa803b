import { Command } from "commander";
import { describeError, OperatorError } from "../../base/errors.ts";
import type { Config } from "../../config/resolved.ts";
import type { RecordedChange } from "../../model/tracked-change.ts";
import type { RunHistory } from "../../store/run-history.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { findRun, readOutputs } from "../history-access.ts";
import { readCount, readSince } from "../read-option.ts";

export interface HistoryOptions {
  config?: string;
  run?: string;
  job?: string;
  failed?: boolean;
  /** A duration back from now, or a time (ISO 8601). */
  since?: string;
  /** Runs, or lines about locks. */
  limit?: number;
  output?: boolean;
  /** All changed files of a run, and not only the first few. */
  files?: boolean;
  /** What happened to locks, instead of the runs. */
  locks?: boolean;
  json?: boolean;
}

/** `rsyncdirector history`: what ran, and how it ended. */
export function newHistoryCommand(context: CommandContext): Command {
  return new Command("history")
    .description("Show the last runs, or one run: its jobs, waits, tries, command lines, figures and changed files.")
    .argument("[run]", "id of a run, its beginning, or `last`")
    .addOption(configOption())
    .option("-j, --job <id>", "only runs with this job, or its locks; `last` is then its last run")
    .option("--failed", "only what did not succeed: failed, cancelled, skipped, still running")
    .option("--since <time>", "only runs that started since: 2d, 90m, 2026-11-20T18:00")
    .option("-n, --limit <n>", "at most so many runs (20), or lines about locks (100)", readCount)
    .option("--output", "with RUN: print what its actions wrote (the last 1 MiB of each is kept)")
    .option("--files", "with RUN: name every file that rsync itemised or change tracking recorded, not only ten")
    .option("--locks", "what happened to locks: taken, waited for, in doubt, lost, broken; with RUN: in that run")
    .option("--json", "print JSON")
    .action((run: string | undefined, options: HistoryOptions) =>
      runHistory(run === undefined ? options : { ...options, run }, context),
    )
    .addHelpText("after", historyHelp);
}

const historyHelp = `
It works whether the director runs or not.

Examples:
  rsyncdirector history -c laptop.yaml                         the last 20 runs
  rsyncdirector history -c laptop.yaml --failed --since 7d     what went wrong this week
  rsyncdirector history -c laptop.yaml last --job home         the last run of job home, action by action
  rsyncdirector history -c laptop.yaml 20261120-10 --output    what its programs printed
  rsyncdirector history -c laptop.yaml --locks --since 2d      who held and waited for what
  rsyncdirector history -c laptop.yaml --json | jq '.[0].outcome'

Exit status:
  0 ok, also when nothing was recorded yet   1 no such run, or the history cannot be read
  78 wrong usage or configuration`;

/** Prints the history; `now` is the present unless a test says otherwise. */
export async function runHistory(
  options: HistoryOptions,
  context: CommandContext,
  host: { now?: number } = {},
): Promise<void> {
  const now = host.now ?? Date.now();
  const since = options.since === undefined ? undefined : readSince(options.since, now);
  const path = configPath(options.config, context.env);
  if (options.locks === true && (options.output === true || options.failed === true)) {
    throw new OperatorError("--locks goes neither with --output nor with --failed", { kind: "usage" });
  }
  const needsRun = options.output === true ? "--output" : options.files === true ? "--files" : undefined;
  if (needsRun !== undefined && options.run === undefined) {
    throw new OperatorError(`${needsRun} needs a RUN: rsyncdirector history RUN ${needsRun}`, { kind: "usage" });
  }
  const [{ loadConfig }, { historyFile }, { readHistory }] = await Promise.all([
    import("../../config/load.ts"),
    import("../../daemon/paths.ts"),
    import("../../store/open-history.ts"),
  ]);
  const { config } = await loadConfig(path, { env: context.env });
  const file = historyFile(config, context.env);
  const history = await readHistory(file);
  if (history === undefined) return reportNothing(options, context, file);
  try {
    if (options.locks === true) return await printLocks(history, { ...options, since }, context);
    if (options.run !== undefined) return await printRun(history, { ...options, config }, context);
    const { job: jobId, failed: withoutSuccess, limit = 20 } = options;
    const runs = history.listRuns({ jobId, withoutSuccess, since, limit });
    const { formatRunList, runListAsJson } = await import("../history-view.ts");
    if (options.json === true) context.stdout.write(runListAsJson(runs));
    else if (runs.length === 0) context.stderr.write("no such runs\n");
    else context.stdout.write(formatRunList(runs));
  } finally {
    history.close();
  }
}

function reportNothing(options: HistoryOptions, context: CommandContext, file: string): void {
  if (options.run !== undefined) throw new OperatorError(`no run is recorded yet in ${file}`);
  if (options.json === true) context.stdout.write("[]\n");
  else context.stderr.write(`no run is recorded yet in ${file}\n`);
}

async function printLocks(
  history: RunHistory,
  options: Omit<HistoryOptions, "since"> & { since: number | undefined },
  context: CommandContext,
): Promise<void> {
  const { run, job: jobId, since, limit = 100 } = options;
  const runId = run === undefined ? undefined : findRun(history, run, options.job);
  const events = history.lockEvents({ runId, jobId, since, limit });
  const { formatLockEvents, lockEventsAsJson } = await import("../history-locks-view.ts");
  if (options.json === true) context.stdout.write(lockEventsAsJson(events));
  else if (events.length === 0) context.stderr.write("nothing was recorded about locks\n");
  else context.stdout.write(formatLockEvents(events));
}

async function printRun(
  history: RunHistory,
  options: Omit<HistoryOptions, "config"> & { config: Config },
  context: CommandContext,
): Promise<void> {
  const run = history.readRun(findRun(history, options.run ?? "last", options.job));
  if (run === undefined) throw new OperatorError(`run ${options.run} has just left the history`);
  const outputs = readOutputs(history, run);
  const { formatOutputs, formatRun, runAsJson } = await import("../history-view.ts");
  const isTTY = context.stdout.isTTY === true;
  if (options.output === true && options.json !== true) {
    return void context.stdout.write(formatOutputs(run, outputs, { isTTY }));
  }
  const [{ tellRun }, tracked] = await Promise.all([
    import("../run-story.ts"),
    readTracked(options.config, run.runId, context),
  ]);
  const story = tellRun(run, { outputs, tracked });
  if (options.json === true) context.stdout.write(runAsJson(story, options.output === true ? outputs : undefined));
  else context.stdout.write(formatRun(story, { allFiles: options.files === true }));
}

const mostTracked = 10_000;

/** What change tracking wrote down of a run. That it cannot be read is said, and hides nothing else. */
async function readTracked(config: Config, runId: string, context: CommandContext): Promise<RecordedChange[]> {
  const { backupRoots, findChanges, openChangeArchives } = await import("../../daemon/inspect/change-archives.ts");
  try {
    const archives = await openChangeArchives(backupRoots(config, context.env));
    try {
      return findChanges(archives, { runId, limit: mostTracked }).map(({ change }) => change);
    } finally {
      archives.close();
    }
  } catch (error) {
    context.stderr.write(`the recorded changes cannot be read: ${describeError(error)}\n`);
    return [];
  }
}

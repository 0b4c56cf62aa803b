import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { RunHistory, RunRecord } from "../../store/run-history.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
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
  /** What happened to locks, instead of the runs. */
  locks?: boolean;
  json?: boolean;
}

/** `rsyncdirector history`: what ran, and how it ended. */
export function newHistoryCommand(context: CommandContext): Command {
  return new Command("history")
    .description("Show the last runs, or one run with its jobs and actions.")
    .argument("[run]", "id of a run, its beginning, or `last`")
    .addOption(configOption())
    .option("-j, --job <id>", "only runs with this job, or its locks")
    .option("--failed", "only what did not succeed: failed, cancelled, skipped, still running")
    .option("--since <time>", "only runs that started since: 2d, 90m, 2026-11-20T18:00")
    .option("-n, --limit <n>", "at most so many runs (20), or lines about locks (100)", readCount)
    .option("--output", "with RUN: print what its actions wrote (the last 1 MiB of each is kept)")
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
  rsyncdirector history -c laptop.yaml last                    the last run, action by action
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
  if (options.output === true && options.run === undefined) {
    throw new OperatorError("--output needs a RUN: rsyncdirector history RUN --output", { kind: "usage" });
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
    if (options.run !== undefined) return await printRun(history, options, context);
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
  const runId = run === undefined ? undefined : findRun(history, run);
  const events = history.lockEvents({ runId, jobId, since, limit });
  const { formatLockEvents, lockEventsAsJson } = await import("../history-locks-view.ts");
  if (options.json === true) context.stdout.write(lockEventsAsJson(events));
  else if (events.length === 0) context.stderr.write("nothing was recorded about locks\n");
  else context.stdout.write(formatLockEvents(events));
}

async function printRun(history: RunHistory, options: HistoryOptions, context: CommandContext): Promise<void> {
  const run = history.readRun(findRun(history, options.run ?? "last"));
  if (run === undefined) throw new OperatorError(`run ${options.run} has just left the history`);
  const outputs = options.output === true ? readOutputs(history, run) : undefined;
  const { formatOutputs, formatRun, runAsJson } = await import("../history-view.ts");
  if (options.json === true) context.stdout.write(runAsJson(run, outputs));
  else if (outputs === undefined) context.stdout.write(formatRun(run));
  else context.stdout.write(formatOutputs(run, outputs, { isTTY: context.stdout.isTTY === true }));
}

function findRun(history: RunHistory, wanted: string): string {
  if (wanted === "last") {
    const last = history.listRuns({ limit: 1 })[0];
    if (last === undefined) throw new OperatorError("no run is recorded yet");
    return last.runId;
  }
  const found = history.findRunIds(wanted, 6);
  const [first, ...others] = found;
  if (first === undefined) throw new OperatorError(`no run has an id that begins with "${wanted}"`);
  if (others.length === 0 || found.includes(wanted)) return found.includes(wanted) ? wanted : first;
  const some = found.slice(0, 5).join(", ");
  throw new OperatorError(`several runs begin with "${wanted}": ${some}${found.length > 5 ? ", …" : ""}`);
}

function readOutputs(history: RunHistory, run: RunRecord): Map<string, string> {
  const outputs = new Map<string, string>();
  for (const { jobId, actions } of run.jobs) {
    for (const action of actions) {
      const { actionId, targetId, attempt, hasOutput } = action;
      const output = hasOutput ? history.readOutput(run.runId, jobId, action) : undefined;
      if (output !== undefined) outputs.set(JSON.stringify([jobId, actionId, targetId, attempt]), output);
    }
  }
  return outputs;
}

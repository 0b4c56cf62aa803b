import { Command } from "commander";
import { AbortReason } from "../../base/abort.ts";
import { OperatorError } from "../../base/errors.ts";
import { formatProblem } from "../../config/problem.ts";
import type { Config, LogLevel } from "../../config/resolved.ts";
import type { CommandContext, TextOutput } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodeOfOutcome, exitCodes } from "../exit-codes.ts";
import { formatJson, printable } from "../output.ts";
import { programVersion } from "../program-version.ts";
import { formatRunSummary, showRun } from "../run-view.ts";

interface RunOptions {
  config?: string;
  dryRun?: boolean;
  detach?: boolean;
  json?: boolean;
}

/** `rsyncdirector run`: some jobs, or all, now and here. */
export function newRunCommand(context: CommandContext): Command {
  return new Command("run")
    .description("Run jobs now: by the running director, whose run is followed, else here in the foreground.")
    .argument("[job...]", "ids of the jobs (default: every enabled job, in the file's order)")
    .addOption(configOption())
    .option("-n, --dry-run", "take no locks, pass -n to rsync, print the exact commands")
    .option("-d, --detach", "let the running director do it, print the id of the run, and do not follow it")
    .option("--json", "print only the result, as JSON")
    .action(async (jobs: string[], options: RunOptions) => {
      const config = configPath(options.config, context.env);
      const view = options.json === true ? "json" : "lines";
      const { dryRun = false, detach = false } = options;
      if (dryRun && detach) throw new OperatorError("--detach does not go with --dry-run", { kind: "usage" });
      if (!dryRun) {
        const { handOver } = await import("../hand-over.ts");
        if (await handOver({ config, jobs, detach, view }, context)) return;
      }
      await runForeground({ config, jobs, dryRun, logLevel: undefined, view }, context);
    })
    .addHelpText("after", runHelp);
}

const runHelp = `
Examples:
  rsyncdirector run -c laptop.yaml                  every enabled job
  rsyncdirector run -c laptop.yaml home mail        these two, in this order
  rsyncdirector run -c laptop.yaml --dry-run        what rsync would change, without changing it
  rsyncdirector run -c laptop.yaml home --detach    the director is to do it; do not wait

A running director takes the run over, with the configuration that it has loaded, and does it in turn. Ctrl-C
then stops following it: the run goes on until \`rsyncdirector cancel\`. Without a director the run is done here, under
the same locks, and Ctrl-C stops it. A dry run is always done here. The history records all of them but the last.

Exit status:
  0 ok or warnings   1 a job failed or was cancelled, or the director refused the run   75 a job was skipped or stayed
  blocked, or following it was stopped   78 wrong usage or configuration`;

export interface ForegroundRequest {
  config: string;
  /** Empty: every enabled job. */
  jobs: readonly string[];
  dryRun: boolean;
  logLevel: LogLevel | undefined;
  /** `lines` for people, `json` for the result alone, `log` for the configured log (the original's run-once). */
  view: "lines" | "json" | "log";
}

/** Runs the jobs once and sets the exit status by the worst of them. */
export async function runForeground(request: ForegroundRequest, context: CommandContext): Promise<void> {
  const { outliveStraySignals } = await import("../../daemon/stray-signals.ts");
  const endOutliving = outliveStraySignals((name) => {
    context.stderr.write(`${name} ignored: it means nothing to a run\n`);
  });
  try {
    await runHere(request, context);
  } finally {
    endOutliving();
  }
}

async function runHere(request: ForegroundRequest, context: CommandContext): Promise<void> {
  const { loadConfig } = await import("../../config/load.ts");
  const { openForeground } = await import("../../daemon/foreground.ts");
  const { config, warnings } = await loadConfig(request.config, { env: context.env });
  const jobs = chooseJobs(config, request.jobs);
  const director = await openForeground({
    config,
    warnings,
    env: context.env,
    version: programVersion(),
    dryRun: request.dryRun,
    logLevel: request.logLevel,
    logToStdout: request.view === "log",
  });
  const endView =
    request.view === "lines"
      ? showRun(director.events, { output: context.stdout, env: context.env, dryRun: request.dryRun, now: Date.now })
      : () => undefined;
  let locksLeft = 0;
  director.events.on("lock:stuck", () => (locksLeft += 1));
  const stopListening = stopOnSignals(director, context.stderr);
  try {
    if (request.view === "lines")
      for (const warning of warnings) context.stderr.write(`warning: ${formatProblem(warning)}\n`);
    const result = await director.submit({ jobs, cause: { kind: "request", by: "command line" } });
    endView();
    if (request.view === "json") context.stdout.write(formatJson(result));
    if (request.view === "lines") context.stdout.write(printable(formatRunSummary(result)));
    // The result may be fine, but whoever calls this must hear of a lock that stops the others.
    context.finish(locksLeft > 0 ? exitCodes.failed : exitCodeOfOutcome(result.outcome));
  } finally {
    endView();
    stopListening();
    await director.close();
  }
  // What could not be written so far is tried once more when the history is closed.
  const unrecorded = request.view === "log" ? undefined : director.whyNotRecorded();
  if (unrecorded !== undefined) context.stderr.write(`warning: this run is not in the history: ${unrecorded}\n`);
}

function chooseJobs(config: Config, wanted: readonly string[]): readonly string[] {
  const known = config.jobs.map((job) => job.id);
  const unknown = wanted.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    throw new OperatorError(`${config.file} has no job ${unknown.join(", ")}; it has: ${known.join(", ")}`, {
      kind: "usage",
    });
  }
  if (wanted.length > 0) return wanted;
  const enabled = config.jobs.filter((job) => job.enabled).map((job) => job.id);
  if (enabled.length === 0) throw new OperatorError(`${config.file}: every job is disabled (enabled: false)`);
  return enabled;
}

/** The first signal, or a bug, stops the run in good order; a second signal kills the children at once. */
function stopOnSignals(director: { stop(reason: AbortReason): void; hurry(): void }, stderr: TextOutput): () => void {
  let received = 0;
  const onSignal = (name: NodeJS.Signals) => {
    received += 1;
    if (received > 1) return director.hurry();
    stderr.write(`${name}: stopping in good order; once more kills the children at once\n`);
    director.stop(new AbortReason("cancelled", `stopped by ${name}`));
  };
  const onBug = (error: Error) =>
    director.stop(new AbortReason("shutdown", `stopped because of a bug: ${error.stack}`));
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, onSignal);
  process.on("uncaughtException", onBug);
  return () => {
    for (const name of names) process.off(name, onSignal);
    process.off("uncaughtException", onBug);
  };
}

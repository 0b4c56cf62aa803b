import { Command } from "commander";
import { parseDuration } from "../../base/duration.ts";
import { OperatorError } from "../../base/errors.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { pluginCodes } from "../exit-codes.ts";
import { judgeCopies, type Thresholds, verdict, type Verdict } from "../judge-copies.ts";
import { printable } from "../output.ts";

interface CheckOptions {
  config?: string;
  warn: string;
  crit: string;
}

/** `rsyncdirector check`: the age of the copies, for Nagios, Icinga and whatever else runs monitoring plugins. */
export function newCheckCommand(context: CommandContext): Command {
  return new Command("check")
    .description("Say in one line whether all copies are young enough, as a monitoring plugin.")
    .argument("[job...]", "ids of jobs (default: every enabled job)")
    .addOption(configOption())
    .option("--warn <time>", "WARNING when the last success is longer ago than this", "26h")
    .option("--crit <time>", "CRITICAL when it is longer ago than this", "50h")
    .action((jobs: string[], options: CheckOptions) => runCheck(jobs, options, context))
    .addHelpText("after", checkHelp);
}

const checkHelp = `
The running director is asked and, where there is none, the history. Of a job with several targets every target
counts. What has never succeeded is CRITICAL. Run it as root or as the user that the director runs as: others may
read neither its socket nor its history, which is UNKNOWN.

Examples:
  rsyncdirector check -c laptop.yaml                           every job, daily
  rsyncdirector check home -c laptop.yaml --warn 2h --crit 6h  one that runs every hour

Exit status, which is that of monitoring plugins and unlike that of every other command:
  0 OK   1 WARNING   2 CRITICAL   3 UNKNOWN: nobody can say, or it was called in a wrong way`;

/** Judges, prints one line and never throws for an outside reason; `now` is the present unless a test says otherwise. */
async function runCheck(
  jobs: readonly string[],
  options: CheckOptions,
  context: CommandContext,
  host: { now?: number; withinMs?: number } = {},
): Promise<void> {
  const { state, line } = await judge(jobs, options, context, host).catch((error: unknown) => {
    if (!(error instanceof OperatorError)) throw error;
    return verdict("unknown", error.message);
  });
  context.stdout.write(`${printable(line)}\n`);
  context.finish(pluginCodes[state]);
}

/** Whoever runs plugins gives up on them after ten seconds as a rule. */
const patienceMs = 5000;

async function judge(
  wanted: readonly string[],
  options: CheckOptions,
  context: CommandContext,
  { now = Date.now(), withinMs = patienceMs }: { now?: number; withinMs?: number },
): Promise<Verdict> {
  const thresholds = readThresholds(options);
  const { readStatus } = await import("../control/read-status.ts");
  const { report, instance } = await readStatus(options.config, context, { now, withinMs });
  const missing = wanted.filter((id) => !report.jobs.some(({ jobId }) => jobId === id));
  if (missing.length > 0) throw new OperatorError(`there is no job ${missing.join(", ")} in ${instance.file}`);
  const disabled = report.jobs.filter(({ jobId, enabled }) => wanted.includes(jobId) && !enabled);
  if (disabled.length > 0) throw new OperatorError(`disabled: ${disabled.map(({ jobId }) => jobId).join(", ")}`);
  const jobs = report.jobs.filter(({ jobId }) => wanted.length === 0 || wanted.includes(jobId));
  return judgeCopies({ ...report, jobs }, { now, thresholds });
}

function readThresholds({ warn, crit }: CheckOptions): Thresholds {
  const [warnMs, critMs] = [parseDuration(warn), parseDuration(crit)];
  if (warnMs === undefined || critMs === undefined) {
    throw new OperatorError(`--warn ${warn}, --crit ${crit}: give durations such as 26h or 2d`);
  }
  if (warnMs > critMs) throw new OperatorError(`--warn ${warn} is longer than --crit ${crit}`);
  return { warnMs, critMs };
}

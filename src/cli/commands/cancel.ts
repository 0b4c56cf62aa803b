import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { InstanceStatus, OpenRun } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatJson } from "../output.ts";

interface CancelOptions {
  config?: string;
  json?: boolean;
}

/** `rsyncdirector cancel`: end a run of the director in good order. */
export function newCancelCommand(context: CommandContext): Command {
  return new Command("cancel")
    .description(
      "Cancel a run of the running director: stop its programs, free its locks, and wait until that is done.",
    )
    .argument("[run]", "id of a run or its beginning, or of a job; without it: the only run there is")
    .addOption(configOption())
    .option("--json", "print JSON")
    .action((wanted: string | undefined, options: CancelOptions) => runCancel(wanted, options, context))
    .addHelpText("after", cancelHelp);
}

const cancelHelp = `
The whole run is cancelled, with all its jobs. Ctrl-C stops waiting for it; it is cancelled all the same.

Examples:
  rsyncdirector cancel -c laptop.yaml               the run under way, if there is one only
  rsyncdirector cancel home -c laptop.yaml          the run that job home is part of
  rsyncdirector cancel 20261120-10 -c laptop.yaml   the run whose id begins like this

Exit status:
  0 it has ended, and its locks are free   1 no such run, no director, or UNKNOWN what became of it
  75 stopped waiting   78 wrong usage`;

async function runCancel(wanted: string | undefined, options: CancelOptions, context: CommandContext): Promise<void> {
  const [{ openControl }, { abortOnSignals }] = await Promise.all([
    import("../control/open-control.ts"),
    import("../stop-signals.ts"),
  ]);
  const { client, status, answer } = await openControl(options.config, context);
  const run = chooseRun(status, wanted);
  const stop = abortOnSignals();
  try {
    const asked = await client.cancel(run.runId, stop.signal);
    if (stop.signal.aborted) {
      context.stderr.write(`run ${run.runId} is being cancelled; rsyncdirector status shows when it has ended\n`);
      return context.finish(exitCodes.temporary);
    }
    const { runId } = answer(asked);
    const { jobs } = run;
    context.stdout.write(
      options.json === true ? formatJson({ runId, jobs }) : `run ${runId} (${jobs.join(", ")}) is cancelled\n`,
    );
  } finally {
    stop.close();
  }
}

/** Throws an `OperatorError` unless exactly one run is meant: the wrong backup must not be stopped by a guess. */
function chooseRun({ runs, jobs }: InstanceStatus, wanted: string | undefined): OpenRun {
  if (runs.length === 0) throw new OperatorError("there is no run to cancel");
  const isMeant = ({ runId, jobs: its }: OpenRun) =>
    wanted === undefined || runId.startsWith(wanted) || its.includes(wanted);
  const exact = runs.filter(({ runId }) => runId === wanted);
  const [first, ...others] = exact.length > 0 ? exact : runs.filter(isMeant);
  const list = runs.map(({ runId, state, jobs: its }) => `${runId} (${state}: ${its.join(", ")})`).join(", ");
  if (first === undefined) {
    const isJob = jobs.some(({ jobId }) => jobId === wanted);
    throw new OperatorError(
      isJob
        ? `job ${wanted} is part of no run just now; there is ${list}`
        : `there is no run or job "${wanted}"; there is ${list}`,
    );
  }
  if (others.length === 0) return first;
  throw new OperatorError(`several runs may be meant, so that nothing was cancelled: ${list}`, { kind: "usage" });
}

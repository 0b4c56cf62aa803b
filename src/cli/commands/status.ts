import { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import { type CommandContext, sizeOf } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { readStatus } from "../control/read-status.ts";
import { exitCodes } from "../exit-codes.ts";
import { canMoveCursor, paintFor } from "../paint.ts";
import { formatStatus, statusAsJson } from "../status-view.ts";

interface StatusOptions {
  config?: string;
  watch?: boolean;
  json?: boolean;
}

/** `rsyncdirector status`: is it fresh, what runs, what waits, what comes next. */
export function newStatusCommand(context: CommandContext): Command {
  return new Command("status")
    .description("Show how fresh the copies are, what runs, what waits and why, and when each job runs next.")
    .addOption(configOption())
    .option("-w, --watch", "keep showing it as it changes, until Ctrl-C; needs a terminal")
    .option("--json", "print JSON")
    .action((options: StatusOptions) => runStatus(options, context))
    .addHelpText("after", statusHelp);
}

const statusHelp = `
The running director is asked. Without one, configuration and history say what they know: the first lines say
so, and the next times, in brackets, are those at which nobody will start anything.

  COPIES  fresh; STALE: a scheduled time has passed since the last success, and half of the time to the next
          one, or a change has been on its way for too long; NEVER: it has not succeeded yet; UNKNOWN: the history
          does not work; -: no schedule and no watch says how new they have to be

Examples:
  rsyncdirector status -c laptop.yaml
  rsyncdirector status -c laptop.yaml --watch
  rsyncdirector status -c laptop.yaml --json | jq -r '.jobs[] | select(.freshness != "fresh") | .jobId'

Exit status:
  0 the director has answered, whatever it said; --watch was ended   1 no director is running
  75 nobody can say whether one is
  78 wrong usage or configuration`;

/** Prints the status; `now` is the present unless a test says otherwise. */
async function runStatus(
  options: StatusOptions,
  context: CommandContext,
  host: { now?: number; withinMs?: number } = {},
): Promise<void> {
  if (options.watch === true && (options.json === true || !canMoveCursor(context.stdout, context.env))) {
    throw new OperatorError("--watch needs a terminal, and does not go with --json", { kind: "usage" });
  }
  if (options.watch === true) {
    const { openInstance } = await import("../control/open-instance.ts");
    return watch(await openInstance(options.config, context), context);
  }
  const { now = Date.now(), withinMs } = host;
  const limits = withinMs === undefined ? {} : { withinMs };
  const { report, problem } = await readStatus(options.config, context, { now, ...limits });
  if (options.json === true) context.stdout.write(statusAsJson(report));
  else
    context.stdout.write(
      formatStatus(report, {
        now,
        columns: sizeOf(context.stdout, { columns: Infinity }).columns,
        paint: paintFor(context),
      }),
    );
  if (problem !== undefined) context.stderr.write(`warning: a reload would be refused: ${problem.message}\n`);
  context.finish(
    { running: exitCodes.ok, stopped: exitCodes.failed, deaf: exitCodes.failed, unknown: exitCodes.temporary }[
      report.director
    ],
  );
}

async function watch(
  instance: Parameters<typeof import("../watch-status.ts").watchStatus>[0],
  context: CommandContext,
): Promise<void> {
  const [{ watchStatus }, { abortOnSignals }, { systemClock }] = await Promise.all([
    import("../watch-status.ts"),
    import("../stop-signals.ts"),
    import("../../base/clock.ts"),
  ]);
  const stop = abortOnSignals();
  try {
    await watchStatus(instance, context, { clock: systemClock, signal: stop.signal });
  } finally {
    stop.close();
  }
}

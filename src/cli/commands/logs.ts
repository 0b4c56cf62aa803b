import { Command } from "commander";
import { Emitter } from "../../base/emitter.ts";
import { OperatorError } from "../../base/errors.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { readCount } from "../read-option.ts";

interface LogsOptions {
  config?: string;
  follow?: boolean;
  runs: number;
}

/** `rsyncdirector logs`: what the programs of the last runs wrote, and what they write. */
export function newLogsCommand(context: CommandContext): Command {
  return new Command("logs")
    .description("Show what the actions of the last run wrote; with -f what the director does, as it happens.")
    .argument("[job]", "only this job")
    .addOption(configOption())
    .option("-f, --follow", "then go on with what the running director does, until Ctrl-C")
    .option("-n, --runs <n>", "so many runs, the oldest first", readCount, 1)
    .action((job: string | undefined, options: LogsOptions) => runLogs(job, options, context))
    .addHelpText("after", logsHelp);
}

const logsHelp = `
The outputs come from the history, which has the last 1 MiB of each action once it has ended. With -f a run
under way is told from its beginning, as far as the director remembers it. The log of the director itself is
where its \`logging\` says, or in the journal.

Examples:
  rsyncdirector logs -c laptop.yaml              the last run
  rsyncdirector logs home -n 5 -c laptop.yaml    of the last five runs what job home wrote
  rsyncdirector logs -f home -c laptop.yaml      and what it writes from now on

Exit status:
  0 shown   1 no such job, the history cannot be read, or with -f: no director is running   78 wrong usage or
  configuration`;

async function runLogs(job: string | undefined, options: LogsOptions, context: CommandContext): Promise<void> {
  const follow = options.follow === true;
  // Asked for first: nobody should read a page before they hear that there is nothing to follow.
  const control = follow
    ? await (await import("../control/open-control.ts")).openControl(options.config, context)
    : undefined;
  await printOutputs(job, options, context);
  if (control === undefined) return;
  const [{ followLogs }, { showRun }, { abortOnSignals }] = await Promise.all([
    import("../control/follow-logs.ts"),
    import("../run-view.ts"),
    import("../stop-signals.ts"),
  ]);
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  const { stdout: output, env } = context;
  const endView = showRun(events, { output, env, dryRun: false, now: Date.now });
  const stop = abortOnSignals();
  try {
    control.answer(await followLogs(control.client, { jobId: job, events, signal: stop.signal }));
  } finally {
    endView();
    stop.close();
  }
}

async function printOutputs(job: string | undefined, options: LogsOptions, context: CommandContext): Promise<void> {
  const [{ openInstance }, { historyFile }, { readHistory }, { readOutputs }, { formatRunOutputs }] = await Promise.all(
    [
      import("../control/open-instance.ts"),
      import("../../daemon/paths.ts"),
      import("../../store/open-history.ts"),
      import("../history-access.ts"),
      import("../history-view.ts"),
    ],
  );
  const { config, problem, file } = await openInstance(options.config, context);
  // Where the history is stands in the configuration; what is under way can be followed all the same.
  if (config === undefined && options.follow === true) return;
  if (config === undefined) throw problem ?? new OperatorError(`${file} cannot be used`);
  if (job !== undefined && !config.jobs.some(({ id }) => id === job)) {
    throw new OperatorError(
      `there is no job "${job}" in ${file}; it has ${config.jobs.map(({ id }) => id).join(", ")}`,
    );
  }
  const history = await readHistory(historyFile(config, context.env));
  try {
    const runs = history?.listRuns({ jobId: job, limit: options.runs }).toReversed() ?? [];
    if (runs.length === 0) context.stderr.write(`no run ${job === undefined ? "" : `of ${job} `}is recorded yet\n`);
    for (const { runId } of runs) {
      const run = history?.readRun(runId);
      if (history === undefined || run === undefined) continue;
      const its = { ...run, jobs: run.jobs.filter(({ jobId }) => job === undefined || jobId === job) };
      const text = formatRunOutputs(its, readOutputs(history, its), { isTTY: context.stdout.isTTY === true });
      context.stdout.write(text);
    }
  } finally {
    history?.close();
  }
}

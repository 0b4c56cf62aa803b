import { setFlagsFromString } from "node:v8";
import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { configOption, configPath } from "../config-option.ts";
import { exitCodes } from "../exit-codes.ts";
import { legacyEnvironment } from "../legacy-environment.ts";

interface StartOptions {
  config?: string;
}

/** `rsyncdirector start`: the daemon. */
export function newStartCommand(context: CommandContext): Command {
  return new Command("start")
    .description("Be the daemon: run the jobs on their schedules, and when files change, until stopped.")
    .addOption(configOption())
    .action((options: StartOptions) => runStart(options, context))
    .addHelpText("after", startHelp);
}

const startHelp = `
Signals:
  SIGHUP           run all jobs now (once more after the run in progress)
  SIGTERM, SIGINT  stop the children, free the locks, exit with 0; a second one kills the children at once
  SIGUSR1, SIGUSR2, SIGVTALRM
                   are ignored, with a line in the log

Examples:
  rsyncdirector start --config /etc/rsyncdirector/laptop.yaml
  RSYNCDIRECTOR_CONFIG=/etc/rsyncdirector/laptop.yaml rsyncdirector

Exit status:
  0 stopped by a signal   1 could not start   78 wrong configuration`;

/** Starts the daemon and resolves when it has stopped. */
export async function runStart(options: StartOptions, context: CommandContext): Promise<void> {
  const { runOnce, dryRun, logLevel } = legacyEnvironment(context.env);
  const path = configPath(options.config, context.env);
  if (runOnce) {
    const { runForeground } = await import("./run.ts");
    await runForeground({ config: path, dryRun, jobs: [], logLevel, view: "log" }, context);
    return;
  }
  keepHeapSmall();
  const { runDaemon } = await import("../../daemon/run-daemon.ts");
  const { programVersion } = await import("../program-version.ts");
  const version = programVersion();
  const endedWell = await runDaemon({ configPath: path, env: context.env, logLevel, version, dryRun });
  context.finish(endedWell ? exitCodes.ok : exitCodes.failed);
}

/**
 * By default V8 doubles the space for new objects with every start's load up to 32 MB and hardly ever gives it back, and
 * collects old ones only when the heap is up to four times what was left after the last time. A director makes little
 * garbage at a time: it lives as fast in the first megabyte and in a quarter more than it needs, and for months.
 */
function keepHeapSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
  setFlagsFromString("--heap-growing-percent=25");
}

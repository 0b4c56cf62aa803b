import { Command } from "commander";
import type { CatalogDeps } from "../../daemon/inspect/lock-catalog.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-codes.ts";
import { configsOption, loadConfigs, lookDeps } from "../look-at-locks.ts";
import { addLocksBreakCommand } from "./locks-break.ts";

export interface LocksOptions {
  config?: readonly string[];
  json?: boolean;
}

/** `rsyncdirector locks`: every lock file of a configuration, and what becomes of those that nobody gives back. */
export function newLocksCommand(context: CommandContext): Command {
  const command = new Command("locks")
    .description(
      "Show every lock that the jobs take or wait for: who holds it, since when, and whether the holder is alive.",
    )
    .addOption(configsOption())
    .option("--json", "print JSON")
    // So that `locks break` can have options of the same names.
    .enablePositionalOptions()
    .action((options: LocksOptions) => runLocks(options, context))
    .addHelpText("after", locksHelp);
  addLocksBreakCommand(command, context);
  return command;
}

const locksHelp = `
It looks at the files where they lie, on all hosts at once; one that does not answer is UNKNOWN after half a
minute. Nothing is changed. Local locks are those of this host, whichever file names them.

  AGE     since the lock was made, by its owner's clock
  SEEN    since its last sign of life, by the clock of the host on which the lock lies
  WRITER  whether the kernel of the destination knows a process that writes; unfenced: it cannot know

Examples:
  rsyncdirector locks -c laptop.yaml
  rsyncdirector locks -c laptop.yaml -c photos.yaml
  rsyncdirector locks -c laptop.yaml --json | jq '.locks[] | select(.state == "foreign")'
  rsyncdirector locks break backup01:/run/rsyncdirector-locks/data.lock -c laptop.yaml

Exit status:
  0 all locks could be looked at, whatever their state   75 of some it could not be told
  1 failed   78 wrong usage or configuration`;

/** Looks, prints, and finishes with 75 when a lock is UNKNOWN. */
export async function runLocks(
  options: LocksOptions,
  context: CommandContext,
  bounds: Pick<CatalogDeps, "connectTimeoutMs" | "withinMs"> = {},
): Promise<void> {
  const configs = await loadConfigs(options.config, context);
  const [{ openLockCatalog }, { surveyLocks }, deps, view] = await Promise.all([
    import("../../daemon/inspect/lock-catalog.ts"),
    import("../../daemon/inspect/survey-locks.ts"),
    lookDeps(context),
    import("../locks-view.ts"),
  ]);
  const catalog = await openLockCatalog(configs, { ...deps, ...bounds });
  try {
    const reports = await surveyLocks(catalog.locks, catalog, { ...deps, ...bounds });
    const width = Math.max(60, context.stdout.columns ?? 80);
    context.stdout.write(options.json === true ? view.locksAsJson(reports) : view.formatLocks(reports, { width }));
    if (reports.some(({ state }) => state === "unknown")) context.finish(exitCodes.temporary);
  } finally {
    await catalog.close();
  }
}

import { Command } from "commander";
import { readCount, readSince } from "../read-option.ts";
import type { FoundChange } from "../../daemon/inspect/change-archives.ts";
import { findRecorded, normalPath, openArchives } from "../change-archives.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";
import { addChangesRestoreCommand } from "./changes-restore.ts";

interface ChangesOptions {
  config?: string;
  job?: string;
  run?: string;
  /** A duration back from now, or a time (ISO 8601). */
  since?: string;
  limit?: number;
  diff?: boolean;
  json?: boolean;
}

/** `rsyncdirector changes`: which files were changed by which run, and how. */
export function newChangesCommand(context: CommandContext): Command {
  const command = new Command("changes")
    .description("Show which files the tracked syncs changed, and how.")
    .argument("[path]", "a file or directory, absolute or relative to the source of its sync")
    .addOption(configOption())
    .option("-j, --job <id>", "only changes by this job")
    .option("--run <id>", "only changes by this run")
    .option("--since <time>", "only changes since: 2d, 90m, 2026-11-20T18:00")
    .option("-n, --limit <n>", "at most so many changes (50)", readCount)
    .option("--diff", "show the differences, as far as their copies are kept")
    .option("--json", "print JSON")
    // So that `changes restore` can have options of the same names.
    .enablePositionalOptions()
    .action((path: string | undefined, options: ChangesOptions) => runChanges(path, options, context))
    .addHelpText("after", changesHelp);
  addChangesRestoreCommand(command, context);
  return command;
}

const changesHelp = `
Only jobs with track_changes have anything to show. It works whether the director runs or not.

Examples:
  rsyncdirector changes -c laptop.yaml --since 2d                    what changed lately
  rsyncdirector changes /srv/www/site.conf --diff -c laptop.yaml     every change of one file
  rsyncdirector changes restore /srv/www/site.conf --run 20261120-104803-9f3a1c -c laptop.yaml
                                                                     the file as it was before that run

Exit status:
  0 ok, also when nothing was recorded yet   1 the copies cannot be read   78 wrong usage or configuration`;

async function runChanges(path: string | undefined, options: ChangesOptions, context: CommandContext): Promise<void> {
  const since = options.since === undefined ? undefined : readSince(options.since, Date.now());
  const archives = await openArchives(options, context);
  try {
    const { job: jobId, run: runId, limit = 50 } = options;
    const found = await findRecorded(archives, { path: normalPath(path), jobId, runId, since, limit });
    const { changesAsJson, formatChangeList, formatDifferences } = await import("../changes-view.ts");
    const shown = await Promise.all(found.map((one) => withDifference(one, options.diff === true)));
    if (options.json === true) context.stdout.write(changesAsJson(shown));
    else if (shown.length === 0) context.stderr.write("no such changes are recorded\n");
    else if (options.diff === true) {
      context.stdout.write(formatDifferences(shown, { isTTY: context.stdout.isTTY === true }));
    } else context.stdout.write(formatChangeList(shown));
  } finally {
    archives.close();
  }
}

async function withDifference({ archive, change }: FoundChange, wanted: boolean) {
  if (!wanted) return { change, difference: undefined };
  const { differenceOf } = await import("../../changes/read-copies.ts");
  return { change, difference: await differenceOf(archive, change) };
}

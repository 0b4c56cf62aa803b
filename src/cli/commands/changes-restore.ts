import { basename, dirname, resolve } from "node:path";
import type { Command } from "commander";
import { OperatorError } from "../../base/errors.ts";
import type { RecordedChange } from "../../model/tracked-change.ts";
import type { FoundChange } from "../../daemon/inspect/change-archives.ts";
import { findRecorded, normalPath, openArchives } from "../change-archives.ts";
import { formatName } from "../changes-view.ts";
import type { CommandContext } from "../command-context.ts";
import { configOption } from "../config-option.ts";

interface ChangesRestoreOptions {
  config?: string;
  job?: string;
  run: string;
  to?: string;
  force?: boolean;
}

export function addChangesRestoreCommand(changes: Command, context: CommandContext): void {
  changes
    .command("restore")
    .description("Write a file as it was before a run changed it.")
    .argument("<path>", "the file, absolute or relative to the source of its sync")
    .addOption(configOption())
    .requiredOption("--run <id>", "the run that changed the file, or the beginning of its id")
    .option("-j, --job <id>", "the job, where several have changed the file")
    .option("--to <file>", "write it there instead of to its own place")
    .option("--force", "replace the file even if it has changed since")
    .action((path: string, options: ChangesRestoreOptions) => runChangesRestore(path, options, context))
    .addHelpText("after", restoreHelp);
}

const restoreHelp = `
The file is written as a whole or not at all, with the permissions it had; root gives it back to its owner too.
A file that has changed since that run is not replaced without --force.

Examples:
  rsyncdirector changes restore /srv/www/site.conf --run 20261120-104803-9f3a1c -c laptop.yaml
  rsyncdirector changes restore site.conf --run 20261120-1048 --to /tmp/site.conf -c laptop.yaml`;

/** Restores one file and says what it did. */
async function runChangesRestore(path: string, options: ChangesRestoreOptions, context: CommandContext): Promise<void> {
  const archives = await openArchives(options, context);
  try {
    const wanted = normalPath(path) ?? "";
    const all = await findRecorded(archives, { path: wanted, jobId: options.job, limit: 1_000_000 });
    const found = chooseChange(
      all.filter(({ change }) => change.file === wanted || change.path === wanted),
      { ...options, path: wanted },
    );
    context.stdout.write(await restore(found, options));
  } finally {
    archives.close();
  }
}

/** The first change of the file by that run: before it the file was what is asked for. */
function chooseChange(
  changes: readonly FoundChange[],
  { path, run }: ChangesRestoreOptions & { path: string },
): FoundChange {
  const name = formatName(path);
  if (changes.length === 0) throw new OperatorError(`no change of ${name} is recorded`);
  const matching = changes.filter(({ change }) => change.runId === run || change.runId.startsWith(run));
  const exact = matching.filter(({ change }) => change.runId === run);
  const chosen = exact.length > 0 ? exact : matching;
  if (chosen.length === 0) {
    const runs = [...new Set(changes.map(({ change }) => change.runId))];
    const some = `${runs.slice(0, 5).join(", ")}${runs.length > 5 ? ", …" : ""}`;
    throw new OperatorError(`run ${formatName(run)} did not change ${name}; these did: ${some}`);
  }
  const runs = [...new Set(chosen.map(({ change }) => change.runId))];
  if (runs.length > 1) throw new OperatorError(`several runs begin with "${run}": ${runs.slice(0, 5).join(", ")}`);
  const places = new Set(chosen.map(({ change }) => JSON.stringify([change.jobId, change.actionId, change.file])));
  if (places.size > 1) {
    const shown = chosen.map(({ change }) => `${formatName(change.file)} (job ${change.jobId}, ${change.actionId})`);
    const files = [...new Set(shown)].join(", ");
    throw new OperatorError(`${name} may be one of several files: ${files}; give an absolute path, or --job`);
  }
  return chosen.at(-1) as FoundChange;
}

async function restore({ archive, change }: FoundChange, options: ChangesRestoreOptions): Promise<string> {
  const { readBefore } = await import("../../changes/read-copies.ts");
  const { restoreFile } = await import("../../changes/restore-copy.ts");
  const name = formatName(change.file);
  const { before, after } = change;
  if (before === null)
    throw new OperatorError(`${name} was not there before run ${change.runId}: there is nothing to restore`);
  if (before.kind !== "text") {
    throw new OperatorError(
      `of ${name} no copy was kept, only its checksum: it was ${before.kind}, not a text within max_file_size`,
    );
  }
  const content = await readBefore(archive, change);
  if (content === undefined) {
    throw new OperatorError(`the copy of ${name} from before run ${change.runId} is not kept any more, or is damaged`);
  }
  const place = placeOf(change, options.to);
  const owner = options.to === undefined && process.getuid?.() === 0 ? { uid: before.uid, gid: before.gid } : undefined;
  const done = await restoreFile({
    ...{ ...place, content, mode: before.mode, owner, force: options.force === true },
    // What that run left is known to the tracker: as the next change's copy, or as the baseline.
    replaceable: options.to === undefined && after?.sha256 ? [after.sha256] : [],
  });
  const target = formatName([place.root, ...place.names].join("/").replace(/^\/+/, "/"));
  const as = `as it was before run ${change.runId} (${content.length} bytes)`;
  switch (done) {
    case "same":
      return `${target} is already ${as}\n`;
    case "written":
      return `${target} was written ${as}\n`;
    case "replaced":
      return `${target} was replaced, it is now ${as}\n`;
  }
}

/** Where it goes: below the root of its tree, or exactly there where the operator wants it. */
function placeOf({ file, path }: RecordedChange, to: string | undefined): { root: string; names: readonly string[] } {
  if (to !== undefined) return { root: dirname(resolve(to)), names: [basename(resolve(to))] };
  if (!file.endsWith(`/${path}`)) return { root: dirname(file), names: [basename(file)] };
  return { root: file.slice(0, -path.length - 1) || "/", names: path.split("/") };
}

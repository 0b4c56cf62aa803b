import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { Guard } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { TransferStats } from "../model/transfer.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import { runSyncCall } from "./sync-call.ts";
import type { SyncCall, SyncRun } from "./sync-run.ts";

/** What a sync would delete. */
export interface Deletions {
  readonly count: number;
  /** A few of them, as rsync names them. */
  readonly first: readonly string[];
  /** All of them, where they were asked for. */
  readonly all: readonly string[];
  /** Entries that the target has now; null: rsync did not say. */
  readonly targetEntries: number | null;
}

const shownPaths = 5;

/** rsync named every deletion: success, files that vanished meanwhile, and the user's own --max-delete. */
const toldAll: readonly (number | null)[] = [0, 24, 25];

export function hasLimits({ maxDelete, maxDeletePercent }: Guard): boolean {
  return maxDelete !== undefined || maxDeletePercent !== undefined;
}

/** The message of a sync that would delete too much; undefined: it may. */
export function judgeDeletions(
  guard: Guard,
  { count, first, targetEntries }: Omit<Deletions, "all">,
): string | undefined {
  const { maxDelete, maxDeletePercent } = guard;
  if (count === 0) return undefined;
  const paths = first.map((path) => JSON.stringify(path)).join(", ");
  const named = `${paths}${count > first.length ? ", …" : ""}`;
  const remedy = "nothing was copied or deleted; if it is right, raise the limit, and rsyncdirector run the job once";
  const refused = (share: string, limit: string) =>
    `guard: the sync would delete ${share}, more than ${limit}: ${named}; ${remedy}`;
  if (maxDelete !== undefined && count > maxDelete) return refused(`${count} entries`, `max_delete: ${maxDelete}`);
  if (maxDeletePercent === undefined) return undefined;
  if (targetEntries === null) {
    return `guard: the sync would delete ${count} entries, and rsync does not say of how many (max_delete_percent): ${named}`;
  }
  const percent = targetEntries === 0 ? 0 : (100 * count) / targetEntries;
  if (percent <= maxDeletePercent) return undefined;
  const share = `${count} of ${targetEntries} entries (${Math.floor(percent)} %)`;
  return refused(share, `max_delete_percent: ${maxDeletePercent}`);
}

/**
 * What rsync is to keep to by itself, after it was found that what it would delete is within the limits: by the time it
 * runs that may be more, and of a share it knows nothing.
 */
export function mostDeletions(
  { maxDelete = Infinity, maxDeletePercent = Infinity }: Guard,
  { count, targetEntries }: Pick<Deletions, "count" | "targetEntries">,
): number {
  const share = maxDeletePercent === Infinity ? Infinity : Math.floor((maxDeletePercent * (targetEntries ?? 0)) / 100);
  return Math.max(count, Math.min(maxDelete, share));
}

/** Entries that the target has, from the statistics of a dry run; null: not known. */
export function entriesAtTarget(stats: TransferStats | null, deletions: number): number | null {
  if (stats === null || stats.filesTotal === null || stats.filesCreated === null) return null;
  return Math.max(0, stats.filesTotal - stats.filesCreated) + deletions;
}

/**
 * Carries out a call as a dry run and counts what it would delete. An outcome takes its place where that did not
 * succeed: what is not known is not allowed. `keepAll`: which paths these are is asked too.
 */
export async function countDeletions(
  run: SyncRun,
  call: Omit<SyncCall, "onChange">,
  { keepAll = false }: { keepAll?: boolean } = {},
): Promise<Deletions | { readonly problem: ActionOutcome }> {
  const first: string[] = [];
  const all: string[] = [];
  let count = 0;
  const outcome = await runSyncCall(run, {
    ...call,
    spec: dryRunOf(call.spec),
    onChange: ({ operation, path, kind }) => {
      if (operation !== "deleted") return;
      count += 1;
      const shown = kind === "directory" ? `${path}/` : path;
      if (first.length < shownPaths) first.push(shown);
      if (keepAll) all.push(path);
    },
  });
  const { report } = outcome;
  if (outcome.kind === "cancelled" || report?.turnedAway === true) return { problem: outcome };
  // Whatever the job makes of other codes: rsync has not seen everything then.
  if (report === null || !toldAll.includes(report.exitCode)) {
    const why = "message" in outcome ? outcome.message : `rsync ended with ${report?.exitCode}`;
    const message = `what the sync would delete could not be counted: ${why}`;
    const retryable = outcome.kind === "failed" && outcome.retryable;
    return { problem: { kind: "failed", cause: "exit", message, retryable, report } };
  }
  if (report.stats === null) {
    const message = "what the sync would delete could not be counted: options hide what rsync says (-q, --info)";
    return { problem: { kind: "failed", cause: "exit", message, retryable: false, report } };
  }
  return { count, first, all, targetEntries: entriesAtTarget(report.stats, count) };
}

/**
 * The same call that changes nothing and names every deletion, in the form that is read here, however many there are.
 */
function dryRunOf(spec: RsyncCommandSpec): RsyncCommandSpec {
  const names = rsyncOptionNames(spec.opts);
  const format = names.has("out-format") || names.has("log-format") ? ["--out-format=%i %n%L"] : [];
  const own = (spec.own ?? []).filter((word) => !word.startsWith("--max-delete="));
  return { ...spec, dryRun: true, own: [...own, ...format] };
}

import type { ActionOutcome } from "../model/run.ts";
import type { RsyncResult } from "../rsync/run-rsync.ts";

/**
 * Looks whether an rsync that ended well has copied: it also ends well when it skips the source. Where single paths
 * are copied all of them may be gone by now. `own` are the user's options.
 */
export function judgeCopy(
  own: ReadonlySet<string>,
  call: {
    result: RsyncResult;
    dryRun: boolean;
    judgedAs: "complete" | "paths";
    ok: Extract<ActionOutcome, { kind: "ok" }>;
  },
): ActionOutcome {
  const { result, dryRun, judgedAs, ok } = call;
  const { report } = ok;
  const has = (...names: string[]) => names.some((name) => own.has(name));
  const failed = (message: string): ActionOutcome => ({
    ...{ kind: "failed", cause: "exit", message, retryable: false, report },
  });
  const warning = (message: string): ActionOutcome => ({ kind: "warning", message, report });
  // Nobody may take it for a copy: neither a status, nor the journal of what has to be carried.
  if (!dryRun && has("dry-run", "list-only")) {
    return failed("nothing was copied: -n (--dry-run) or --list-only is among the opts; remove it");
  }
  const skipped = /^skipping directory .*/m.exec(result.output)?.[0];
  if (result.stats === null) {
    if (skipped !== undefined) return failed(`rsync skipped the source (${skipped}): it needs archive: true or -r`);
    // These hide the statistics, or send them to standard error.
    if (!has("quiet", "info", "stderr", "msgs2stderr", "no-msgs2stderr")) {
      return failed("rsync printed no statistics: nothing says that it copied anything");
    }
  } else if (judgedAs === "complete" && result.stats.filesTotal === 0) {
    if (skipped !== undefined) return failed(`rsync skipped the source (${skipped}): it needs archive: true or -r`);
    // An empty list of files, or sources that may be missing: nothing to copy is as it should be.
    if (!has("files-from", "ignore-missing-args")) {
      return warning("rsync copied nothing: its filters leave out every source");
    }
  }
  return ok;
}

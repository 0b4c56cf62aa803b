import type { SyncScope } from "../model/changes.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { CarriedChanges } from "../model/changes.ts";
import type { Turn } from "./sync-lanes.ts";

/**
 * One sync of one target, of whatever it has to carry, and what the journal is told of it. A dry run tells it
 * nothing, because nothing was carried.
 */
export async function carryChanges(
  carried: CarriedChanges | undefined,
  { dryRun, hasAll = hasAllByRsync }: { dryRun: boolean; hasAll?: (outcome: ActionOutcome) => boolean },
  sync: (scope: SyncScope) => Promise<ActionOutcome>,
): Promise<Turn> {
  if (carried === undefined) return toTurn(await sync({ kind: "full", reason: "" }), hasAll);
  if (carried.kind === "nothing") return { kind: "nothing" };
  if (carried.kind === "deferred") return { kind: "failed", message: carried.message, tried: false };
  const report = dryRun ? { arrived: () => undefined, failed: () => undefined } : carried;
  let outcome: ActionOutcome;
  try {
    outcome = await sync(carried.scope);
  } catch (error) {
    report.failed("internal error");
    throw error;
  }
  if (hasAll(outcome)) report.arrived();
  else if (!isNobodysFault(outcome)) report.failed(outcome.kind === "ok" ? "" : outcome.message);
  return toTurn(outcome, hasAll);
}

/** The target has nothing to do with it, and need not be left alone: the next run carries what is pending. */
function isNobodysFault(outcome: ActionOutcome): boolean {
  return outcome.kind === "cancelled" && ["shutdown", "replaced", "cancelled"].includes(outcome.reason);
}

/** rsync: files vanished while it read them; the watcher sees that they are gone, and says so itself. */
const vanished = 24;

/**
 * Whether everything that was to be carried is at the target. An exit code that the operator only calls a warning
 * (`exit_codes`) may well mean that something is missing there.
 */
function hasAllByRsync(outcome: ActionOutcome): boolean {
  if (outcome.kind !== "warning") return outcome.kind === "ok";
  const { exitCode } = outcome.report;
  return exitCode === 0 || exitCode === vanished;
}

function toTurn(outcome: ActionOutcome, hasAll: (outcome: ActionOutcome) => boolean): Turn {
  switch (outcome.kind) {
    case "ok":
      return { kind: "ok" };
    case "warning":
      return { kind: "warning", message: outcome.message, isComplete: hasAll(outcome) };
    case "failed":
      return { kind: "failed", message: outcome.message, tried: true };
    case "cancelled":
      return { kind: "cancelled" };
  }
}

import type { HoldClaim } from "../model/hold.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import type { HoldRefusal } from "../rsync/hold-wrapper.ts";

/** Nothing was written: the writer asked the kernel of its host first. */
export function refusedByHold(
  refusal: HoldRefusal,
  { holds, report, firstError }: { holds: readonly HoldClaim[]; report: ActionReport; firstError: string | undefined },
): ActionOutcome {
  const files = holds.map(({ hold }) => hold).join(", ");
  const failed = { kind: "failed", cause: "exit", report: { ...report, turnedAway: true } } as const;
  switch (refusal) {
    case "busy":
      return {
        ...failed,
        message: `another writer still holds ${files} (its director may have died or been cut off)`,
        retryable: true,
      };
    case "lost":
      return {
        ...failed,
        message: "the lock was lost before the copy began: its file no longer carries this job's token",
        retryable: false,
      };
    case "unable": {
      const cause = firstError === undefined ? "" : ` (${firstError})`;
      return {
        ...failed,
        message: `the hold lock cannot be taken where it writes: ${files}${cause}`,
        retryable: false,
      };
    }
  }
}

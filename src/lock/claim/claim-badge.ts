import type { LockLease } from "../../config/resolved.ts";
import { formatLockPair, makeRank, type Fence, type LockOwner } from "../lock-record.ts";

/** What one attempt claims with. */
export interface Badge {
  readonly token: string;
  readonly rank: string;
  /** The content of every lock file of this attempt, before its second look and after it; equally long. */
  readonly claim: string;
  readonly held: string;
}

/** A new badge for each attempt: nobody can take a late claim of an earlier one for this. */
export function makeBadge(
  of: {
    jobId: string;
    runId: string;
    attempts: number;
    owner: LockOwner;
    hold: boolean;
    unfenced?: boolean;
    fence: Fence | undefined;
    lease: LockLease;
  },
  { token, claimHeartbeatMs, now }: { token: string; claimHeartbeatMs: number; now: number },
): Badge {
  const { jobId, runId, attempts, owner, hold, unfenced = false, fence, lease } = of;
  const rank = makeRank(attempts, token);
  const created = new Date(now).toISOString();
  const where = { ...(unfenced && { unfenced }), ...(fence !== undefined && { fence }) };
  const common = { v: 1, token, rank, owner, job: jobId, run: runId, hold, ...where, created } as const;
  const contents = formatLockPair(
    { ...common, state: "claim", hb: toSeconds(claimHeartbeatMs), ttl: toSeconds(lease.claimTtlMs) },
    { ...common, state: "held", hb: toSeconds(lease.heartbeatMs), ttl: toSeconds(lease.ttlMs) },
  );
  return { token, rank, ...contents };
}

/** Whole seconds, as they stand in a lock file: rather too long than too short. */
function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}

import Type, { type Static } from "typebox";
import { block, choice, duration, flag, positiveDuration } from "./schema-parts.ts";

const { Optional } = Type;

/** How the locks of a job are kept alive, and when those of others are taken for dead (docs/locking.md). */
const leaseKeys = {
  heartbeat: Optional(
    positiveDuration({ description: "Time between two signs of life at each lock that is held.", default: 30 }),
  ),
  ttl: Optional(
    duration({
      description:
        "A lock without a sign of life for so long is stale, and others may break it. 0: never, so that a person has to remove it after a crash.",
      default: "10m",
    }),
  ),
  renew_deadline: Optional(
    positiveDuration({
      description:
        "A job whose lock could not be confirmed for so long is stopped, so that it has ended before others may break the lock; else 80 % of `ttl`.",
      examples: ["8m"],
    }),
  ),
  claim_ttl: Optional(
    positiveDuration({
      description: "As `ttl`, for a lock that is being claimed and does not count yet.",
      default: "2m",
    }),
  ),
  min_ttl: Optional(
    duration({ description: "No lock of others is taken for stale sooner, whatever it says itself.", default: "1m" }),
  ),
  settle: Optional(
    duration({
      description: "Wait between the claim and the second look when one of the locks is marked `peer: legacy`.",
      default: 15,
    }),
  ),
  break_stale: Optional(
    flag({ description: "`false`: stale locks of others are never broken, but waited for.", default: true }),
  ),
  on_unreachable: Optional(
    choice(["abort", "continue"], {
      description:
        "When `renew_deadline` has passed: stop the job, or let it run on. `continue` needs local lock files or `hold: required`.",
      default: "abort",
    }),
  ),
};

export const jobLockBlock = block("lock of a job", "How locks live; overrides the top-level `lock`.", leaseKeys);

export const lockBlock = block("lock", "How locks live and when they are stale.", {
  ...leaseKeys,
  operation_timeout: Optional(
    positiveDuration({ description: "Longest time for one operation on the locks of one host.", default: 20 }),
  ),
});

export type RawLease = Static<typeof jobLockBlock>;
export type RawLock = Static<typeof lockBlock>;

import { formatDuration } from "../base/duration.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { resolveLease, resolveOperationTimeout } from "./resolve-lease.ts";
import type { LockLease } from "./resolved.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawLease, RawLock } from "./schema-lock.ts";
import { isRecord, type Tree } from "./tree.ts";

/** Stopping rsync: 20 s after SIGTERM, 5 s more for the group, 5 s after SIGKILL. */
const stopBudgetMs = 30_000;
/** `WatchdogSec` of the units: a director that hangs is ended after so long, with everything that it has started. */
const watchdogMs = 60_000;
/** Without a hold lock only time can tell that a writer which lost its director has ended. */
const leastTtlUnheldMs = 900_000;
/** How long the lock script waits for another operation on the same lock. */
const guardWaitMs = 5000;
/** What a job allows for the round trips of another one's claim, which may also let its `settle` pass. */
const claimTripsMs = 10_000;
const shortestTtlMs = 60_000;
const longestTtlMs = 86_400_000;

/**
 * The inequalities between the durations of a lease: a job has to have stopped before its lock can
 * be broken, also when the clocks of two hosts run at different speed (1 %).
 */
export function checkLeases(
  root: Tree,
  jobs: readonly { job: RawJob; own: Tree; path: KeyPath }[],
  log: ProblemLog,
): void {
  const top = soundBlock<RawLock>(root["lock"], ["lock"], log);
  const defaults = isRecord(root["defaults"]) ? root["defaults"]["lock"] : undefined;
  const shared = soundBlock<RawLease>(defaults, ["defaults", "lock"], log);
  const operationMs = resolveOperationTimeout(top);
  // What a block inherits is told where it stands, once.
  const told = new Set<string>();
  const tellOnce = (how: "error" | "warning", where: KeyPath, { key, message }: Flaw, of: KeyPath = []) => {
    const text = JSON.stringify([of, key, message]);
    if (!told.has(text)) log[how]([...where, key], message);
    told.add(text);
  };
  const check = (lease: LockLease, where: KeyPath) => {
    const flaws = flawsOf(lease, operationMs);
    for (const flaw of flaws) tellOnce("error", where, flaw);
    if (flaws.length === 0) for (const risk of risksOf(lease)) tellOnce("warning", where, risk);
  };
  if (top !== undefined) check(resolveLease(top), ["lock"]);
  if (shared !== undefined) check(resolveLease(top, shared), ["defaults", "lock"]);
  for (const { job, own, path } of jobs) {
    const where = [...path, "lock"];
    const block = soundBlock<RawLease>(own["lock"], where, log);
    const lease = resolveLease(top, shared, block);
    if (block !== undefined) check(lease, where);
    if (lease.onUnreachable === "continue") checkContinue(job, block === undefined ? path : where, log);
    // What the job does not say itself, `defaults` says to all of them.
    const at = own["hold"] === undefined ? ["defaults"] : path;
    if (log.isSound([...at, "hold"])) for (const risk of risksUnheld(job, lease)) tellOnce("warning", at, risk, at);
  }
}

interface Flaw {
  readonly key: keyof RawLock | "hold";
  readonly message: string;
}

function flawsOf(lease: LockLease, operationMs: number): Flaw[] {
  const { heartbeatMs, ttlMs, renewDeadlineMs, claimTtlMs, minTtlMs, settleMs } = lease;
  const text = formatDuration;
  const flaws: Flaw[] = [];
  const demand = (holds: boolean, key: Flaw["key"], message: string) => {
    if (!holds) flaws.push({ key, message });
  };
  demand(
    operationMs > guardWaitMs,
    "operation_timeout",
    `must be longer than the ${text(guardWaitMs)} that one operation waits for another`,
  );
  demand(
    heartbeatMs >= operationMs,
    "heartbeat",
    `${text(heartbeatMs)} must not be shorter than operation_timeout (${text(operationMs)}): one sign of life would wait for the last`,
  );
  const inRange = (ms: number) => ms >= shortestTtlMs && ms <= longestTtlMs;
  const range = `must be between ${text(shortestTtlMs)} and ${text(longestTtlMs)}`;
  demand(inRange(claimTtlMs), "claim_ttl", range);
  demand(
    settleMs + claimTripsMs <= claimTtlMs,
    "settle",
    `${text(settleMs)} is too long for claim_ttl (${text(claimTtlMs)}): a job waits for the claim of another for settle and ${text(claimTripsMs)}, and no claim may count as abandoned before`,
  );
  demand(minTtlMs <= longestTtlMs, "min_ttl", `must not be longer than ${text(longestTtlMs)}`);
  // Nobody ever breaks such a lock, so that nothing has to be stopped in time.
  if (ttlMs === 0) return flaws;
  demand(inRange(ttlMs), "ttl", `${range}, or 0`);
  demand(
    4 * heartbeatMs <= renewDeadlineMs,
    "renew_deadline",
    `${text(renewDeadlineMs)} must be at least four times heartbeat (${text(heartbeatMs)}): one lost message would stop the job`,
  );
  const least = renewDeadlineMs + stopBudgetMs + heartbeatMs + 0.01 * ttlMs;
  demand(
    least <= ttlMs,
    "ttl",
    `${text(ttlMs)} is too short: renew_deadline (${text(renewDeadlineMs)}), ${text(stopBudgetMs)} to stop the job, heartbeat (${text(heartbeatMs)}) and 1 % for clocks make ${text(least)}`,
  );
  return flaws;
}

/**
 * A director that hangs cannot stop its job: systemd does, and should not be later than a living director would be. An error
 * would be too much: without that unit nobody watches, and where there is a hold lock it keeps others away meanwhile.
 */
function risksOf({ ttlMs, renewDeadlineMs }: LockLease): Flaw[] {
  const endedMs = watchdogMs + stopBudgetMs;
  if (ttlMs === 0 || endedMs < renewDeadlineMs) return [];
  const text = formatDuration;
  const message = `${text(renewDeadlineMs)} should be longer than ${text(endedMs)}: systemd ends a director that hangs after ${text(watchdogMs)} (WatchdogSec), and its job may take ${text(stopBudgetMs)} to stop; a director that works would have stopped it before`;
  return [{ key: "renew_deadline", message }];
}

/** What is left to time where no writer holds a kernel lock. */
function risksUnheld(job: RawJob, { ttlMs }: LockLease): Flaw[] {
  const takesLocks = Array.isArray(job.lock_files) && job.lock_files.length > 0;
  if (job.hold !== "off" || !takesLocks || ttlMs === 0 || ttlMs >= leastTtlUnheldMs) return [];
  const message = `off, with a ttl of ${formatDuration(ttlMs)}: at least ${formatDuration(leastTtlUnheldMs)} is recommended, for whoever breaks the lock of a dead director cannot ask whether anything of it still writes`;
  return [{ key: "hold", message }];
}

/** Without a lock that the kernel of the destination holds nobody can tell whether the old writer lives. */
function checkContinue(job: RawJob, where: KeyPath, log: ProblemLog): void {
  if (job.hold === "required" || !log.isSound(where)) return;
  const locks = Array.isArray(job.lock_files) ? job.lock_files : [];
  if (locks.every((lock) => !isRecord(lock) || lock.type === "local")) return;
  log.error(
    where,
    "on_unreachable: continue needs hold: required when a lock file lies on another host: others could break the lock while the job still writes",
  );
}

function soundBlock<Block>(value: unknown, path: KeyPath, log: ProblemLog): Block | undefined {
  return isRecord(value) && log.isSound(path) ? (value as Block) : undefined;
}

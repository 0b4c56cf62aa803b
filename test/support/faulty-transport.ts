import { setMaxListeners } from "node:events";
import { sleep } from "../../src/base/abort.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { LockTransport, Unknown } from "../../src/lock/transport/lock-transport.ts";
import type { Fault, OperationNote } from "./memory-lock-host.ts";

const never = new AbortController().signal;
// Many listen to it at the same time.
setMaxListeners(0, never);

/** Everybody who shares it counts together. */
export interface FaultPlan {
  decide(kind: OperationNote["kind"]): Fault | undefined;
  readonly clock: Clock;
  /** How long after it was given up a `late` operation is carried out. */
  readonly lateMs: number;
  /** What is still to be carried out; a test that looks before that looks too early. */
  readonly late: Promise<unknown>[];
}

/** A real transport whose operations get lost, or their answers, as the plan says. */
export function createFaultyTransport(inner: LockTransport, plan: FaultPlan): LockTransport {
  const suffer = async <T>(
    kind: OperationNote["kind"],
    operate: (transport: LockTransport) => Promise<T>,
    giveUp: (unknown: Unknown) => T,
  ): Promise<T> => {
    const fault = plan.decide(kind);
    if (fault === undefined) return operate(inner);
    if (fault === "after") await operate(inner);
    if (fault === "late") {
      plan.late.push(sleep(plan.lateMs, { clock: plan.clock, signal: never }).then(() => operate(inner)));
    }
    return giveUp({ kind: "unknown", detail: `lost (${fault})`, mayHaveRun: fault !== "refused" });
  };
  return {
    host: inner.host,
    // The caller's signal may be aborted by then: a late operation has been sent long ago.
    acquire: (request) =>
      suffer(
        "acquire",
        (transport) => transport.acquire(request, never),
        (unknown) => ({
          ...{ claims: request.claims.map(() => unknown), checks: [], promotions: [] },
          ...(request.lookFirst === true &&
            !unknown.mayHaveRun && { looked: [...request.claims, ...request.thenCheck].map(() => unknown) }),
        }),
      ),
    check: (paths, signal) =>
      suffer(
        "check",
        (transport) => transport.check(paths, signal),
        (unknown) => paths.map(() => unknown),
      ),
    release: (locks) =>
      suffer(
        "release",
        (transport) => transport.release(locks, never),
        (unknown) => locks.map(() => unknown),
      ),
    beat: (locks) =>
      suffer(
        "beat",
        (transport) => transport.beat(locks, never),
        (unknown) => locks.map(() => unknown),
      ),
    promote: (claims) =>
      suffer(
        "promote",
        (transport) => transport.promote(claims, never),
        (unknown) => claims.map(() => unknown),
      ),
    break: (lock) =>
      suffer(
        "break",
        (transport) => transport.break(lock, never),
        (unknown) => unknown,
      ),
    breakForeign: (lock) =>
      suffer(
        "breakForeign",
        (transport) => transport.breakForeign(lock, never),
        (unknown) => unknown,
      ),
    fingerprint: (path) =>
      suffer(
        "fingerprint",
        (transport) => transport.fingerprint(path, never),
        (unknown) => unknown,
      ),
    fence: (dead) =>
      suffer(
        "fence",
        (transport) => transport.fence(dead, never),
        (unknown) => unknown,
      ),
    probe: (directories) =>
      suffer(
        "probe",
        (transport) => transport.probe(directories, never),
        (unknown) => directories.map(() => unknown),
      ),
    holds: (paths) =>
      suffer(
        "holds",
        (transport) => transport.holds(paths, never),
        (unknown) => paths.map(() => unknown),
      ),
  };
}

import type { Clock } from "../../src/base/clock.ts";
import type {
  AcquireAnswer,
  AcquireResult,
  BeatAnswer,
  BreakAnswer,
  CheckAnswer,
  Claim,
  FenceAnswer,
  FingerprintAnswer,
  HoldAnswer,
  LockTransport,
  ProbeAnswer,
  PromoteAnswer,
  ReleaseAnswer,
  Unknown,
} from "../../src/lock/transport/lock-transport.ts";
import type { Fault, MemoryLockHost, OperationNote } from "./memory-lock-host.ts";

/**
 * A way to such a host, with the faults of a network: those of the host and of this way. A lost operation is
 * given up after `operationMs`.
 */
export function createMemoryTransport(
  host: MemoryLockHost,
  clock: Clock,
  operationMs = 20_000,
  faultOfWay: (operation: OperationNote) => Fault | undefined = () => undefined,
): LockTransport {
  const send = <T>(
    kind: OperationNote["kind"],
    signal: AbortSignal,
    carryOut: () => T,
    giveUp: (unknown: Unknown) => T,
  ) => {
    const notSent = giveUp({ kind: "unknown", detail: "not sent", mayHaveRun: false });
    if (signal.aborted) return Promise.resolve(notSent);
    host.operations += 1;
    const note = { kind, host: host.name, number: host.operations };
    const fault = host.silent ? "before" : (faultOfWay(note) ?? host.fault(note));
    if (fault === undefined && host.answerDelayMs > 0) {
      const answer = carryOut();
      return new Promise<T>((resolve) => void clock.setTimer(host.answerDelayMs, () => resolve(answer)));
    }
    if (fault === undefined) return Promise.resolve().then(carryOut);
    if (fault === "refused") return Promise.resolve(notSent);
    return new Promise<T>((resolve) => {
      if (fault === "after") carryOut();
      clock.setTimer(operationMs, () => {
        resolve(giveUp({ kind: "unknown", detail: "no answer in time", mayHaveRun: true }));
        if (fault === "late") clock.setTimer(operationMs * 2, () => void carryOut());
      });
    });
  };
  return {
    host: host.name === "local" ? null : host.name,
    acquire: ({ claims, thenCheck, thenPromote = [], lookFirst = false }, signal) =>
      send(
        "acquire",
        signal,
        (): AcquireResult => {
          const answers: AcquireAnswer[] = [];
          const looked = lookFirst ? pathsOf(claims, thenCheck).map((path) => host.check(path)) : [];
          if (looked.some(({ kind }) => kind !== "absent"))
            return { claims: claims.map(() => ({ kind: "not-tried" })), checks: [], promotions: [], looked };
          for (const { path, token, content } of claims) {
            const stopped = answers.some(({ kind }) => kind !== "acquired");
            answers.push(stopped ? { kind: "not-tried" } : host.acquire(path, token, content));
          }
          const all = answers.every(({ kind }) => kind === "acquired");
          const checks = all ? thenCheck.map((path) => host.check(path)) : [];
          const clear = all && checks.every((check) => isClear(check, claims[0]?.token));
          return { claims: answers, checks, promotions: clear ? thenPromote.map((claim) => host.promote(claim)) : [] };
        },
        (unknown): AcquireResult => ({
          ...{ claims: claims.map(() => unknown), checks: [], promotions: [] },
          ...(lookFirst && !unknown.mayHaveRun && { looked: pathsOf(claims, thenCheck).map(() => unknown) }),
        }),
      ),
    check: (paths, signal) =>
      send(
        "check",
        signal,
        () => paths.map((path) => host.check(path)),
        (unknown) => paths.map((): CheckAnswer => unknown),
      ),
    release: (locks, signal) =>
      send(
        "release",
        signal,
        () => locks.map((lock) => host.release(lock)),
        (unknown) => locks.map((): ReleaseAnswer => unknown),
      ),
    beat: (locks, signal) =>
      send(
        "beat",
        signal,
        () => locks.map(({ path, token }) => host.beat(path, token)),
        (unknown) => locks.map((): BeatAnswer => unknown),
      ),
    promote: (claims, signal) =>
      send(
        "promote",
        signal,
        () => claims.map((claim) => host.promote(claim)),
        (unknown) => claims.map((): PromoteAnswer => unknown),
      ),
    break: (lock, signal) =>
      send<BreakAnswer>(
        "break",
        signal,
        () => host.break(lock),
        (unknown) => unknown,
      ),
    breakForeign: (lock, signal) =>
      send<BreakAnswer>(
        "breakForeign",
        signal,
        () => host.breakForeign(lock),
        (unknown) => unknown,
      ),
    fingerprint: (path, signal) =>
      send<FingerprintAnswer>(
        "fingerprint",
        signal,
        () => host.fingerprint(path),
        (unknown) => unknown,
      ),
    probe: (directories, signal) =>
      send(
        "probe",
        signal,
        () => directories.map((directory) => host.probe(directory)),
        (unknown) => directories.map((): ProbeAnswer => unknown),
      ),
    holds: (paths, signal) =>
      send(
        "holds",
        signal,
        () => paths.map((path) => host.hold(path)),
        (unknown) => paths.map((): HoldAnswer => unknown),
      ),
    fence: ({ path, token }, signal) =>
      send<FenceAnswer>(
        "fence",
        signal,
        () => host.fence(path, token),
        (unknown) => unknown,
      ),
  };
}

function pathsOf(claims: readonly Claim[], others: readonly string[]): string[] {
  return [...claims.map(({ path }) => path), ...others];
}

function isClear(check: CheckAnswer, token: string | undefined): boolean {
  return check.kind === "absent" || (check.kind === "held" && check.found.record?.token === token);
}

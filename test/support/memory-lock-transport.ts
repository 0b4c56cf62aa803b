import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { parseLockRecord } from "../../src/lock/lock-record.ts";
import type {
  AcquireAnswer,
  AcquireResult,
  BeatAnswer,
  BreakAnswer,
  CheckAnswer,
  Claim,
  FingerprintAnswer,
  ForeignLock,
  FoundLock,
  HoldAnswer,
  LockTransport,
  ProbeAnswer,
  PromoteAnswer,
  ReleaseAnswer,
  StaleLock,
  Unknown,
} from "../../src/lock/lock-transport.ts";

/** `mtime` in seconds by the host's clock. */
type Entry = { readonly content: string; readonly mtime: number } | "symlink" | "directory" | "fifo";

/**
 * What happens to one operation: `before` it is lost on the way, `after` its answer is lost, `late` it is
 * carried out some time after it was given up, `refused` nothing was sent at all.
 */
export type Fault = "before" | "after" | "late" | "refused";

export interface OperationNote {
  readonly kind:
    "acquire" | "check" | "release" | "holds" | "beat" | "promote" | "break" | "breakForeign" | "fingerprint" | "probe";
  readonly host: string;
  /** 1 for the first operation on this host. */
  readonly number: number;
}

/** The lock files of an imagined host: one map, so that every operation is atomic. */
export class MemoryLockHost {
  readonly files = new Map<string, Entry>();
  readonly directories = new Set(["/locks"]);
  /** Hold files that a writer keeps locked. */
  readonly writers = new Set<string>();
  readonly name: string;
  operations = 0;
  /** How far this host's clock is ahead of the director's, in milliseconds. */
  clockOffsetMs = 0;
  /** Operations are carried out at once, and answered so much later. */
  answerDelayMs = 0;
  /** Nobody answers any more, until it is set to false again. */
  silent = false;
  /** Decides about each operation as it is sent. */
  fault: (operation: OperationNote) => Fault | undefined = () => undefined;
  readonly #clock: Clock;

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  write(path: string, content: string): void {
    this.files.set(path, { content, mtime: this.#seconds() });
  }

  #seconds(): number {
    return Math.floor((this.#clock.monotonic() + this.clockOffsetMs) / 1000);
  }

  check(path: string): CheckAnswer {
    const entry = this.files.get(path);
    if (!path.startsWith("/")) return { kind: "error", detail: "its path is not absolute" };
    if (!this.directories.has(posix.dirname(path))) return { kind: "error", detail: "its directory does not exist" };
    if (entry === undefined) return { kind: "absent" };
    if (typeof entry === "string") return { kind: "error", detail: `a ${entry} is in its place` };
    return { kind: "held", found: this.#found(entry) };
  }

  acquire(path: string, token: string, content: string): AcquireAnswer {
    const seen = this.check(path);
    if (seen.kind === "held") return seen.found.record?.token === token ? { kind: "acquired" } : seen;
    if (seen.kind === "absent") this.write(path, content);
    return seen.kind === "absent" ? { kind: "acquired" } : seen;
  }

  release(path: string, token: string): ReleaseAnswer {
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    if (seen.found.record?.token !== token) return { kind: "lost", found: seen.found };
    this.files.delete(path);
    return { kind: "released" };
  }

  beat(path: string, token: string): BeatAnswer {
    const seen = this.#own(path, token);
    if (seen.kind !== "own") return seen;
    this.write(path, seen.content);
    return { kind: "beaten" };
  }

  promote({ path, token, content }: Claim): PromoteAnswer {
    const seen = this.#own(path, token);
    if (seen.kind !== "own") return seen;
    if (seen.content.length !== content.length) return { kind: "error", detail: "not as long as it should be" };
    this.write(path, content);
    return { kind: "promoted" };
  }

  break({ path, token, mtime, olderThanSeconds }: StaleLock): BreakAnswer {
    if (token === "") return { kind: "error", detail: "it has no token" };
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    if (seen.found.record?.token !== token || seen.found.mtime !== mtime) return { kind: "changed", found: seen.found };
    if (olderThanSeconds !== null && seen.found.ageSeconds <= olderThanSeconds) {
      return { kind: "fresh", ageSeconds: seen.found.ageSeconds };
    }
    return this.#moveAside(path, token);
  }

  breakForeign({ path, sha256, mtime }: ForeignLock): BreakAnswer {
    const seen = this.fingerprint(path);
    if (seen.kind !== "fingerprint") return seen;
    if (seen.sha256 !== sha256 || seen.found.mtime !== mtime) return { kind: "changed", found: seen.found };
    return this.#moveAside(path, sha256);
  }

  fingerprint(path: string): FingerprintAnswer {
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    return { kind: "fingerprint", sha256: sha256Of(this.#contentOf(path)), found: seen.found };
  }

  probe(directory: string): ProbeAnswer {
    if (!this.directories.has(directory)) return { kind: "error", detail: "its directory does not exist" };
    const abilities = { exclusive: true, hardLinks: true, flock: true, fileSystem: "memory" };
    const owner = { uid: 0, accountUid: 0, permissions: 0o755 };
    return { kind: "probed", mode: "full", ...abilities, ...owner, nowSeconds: this.#seconds() };
  }

  #own(path: string, token: string): { kind: "own"; content: string } | Exclude<ReleaseAnswer, { kind: "released" }> {
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    if (seen.found.record?.token !== token) return { kind: "lost", found: seen.found };
    return { kind: "own", content: this.#contentOf(path) };
  }

  #contentOf(path: string): string {
    const entry = this.files.get(path);
    return typeof entry === "object" ? entry.content : "";
  }

  #moveAside(path: string, name: string): BreakAnswer {
    if (this.writers.has(`${path}.hold`)) return { kind: "in-use" };
    const entry = this.files.get(path);
    if (entry !== undefined) this.files.set(`${path}.broken.${name}`, entry);
    this.files.delete(path);
    return { kind: "broken" };
  }

  hold(path: string): HoldAnswer {
    if (!this.directories.has(posix.dirname(path))) return { kind: "error", detail: "its directory does not exist" };
    return { kind: this.writers.has(path) ? "in-use" : "free" };
  }

  #found({ content, mtime }: { content: string; mtime: number }): FoundLock {
    const [owner = "", second = ""] = content.split("\n");
    return { owner, record: parseLockRecord(second) ?? null, ageSeconds: this.#seconds() - mtime, mtime };
  }
}

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
    acquire: ({ claims, thenCheck, thenPromote = [] }, signal) =>
      send(
        "acquire",
        signal,
        (): AcquireResult => {
          const answers: AcquireAnswer[] = [];
          for (const { path, token, content } of claims) {
            const stopped = answers.some(({ kind }) => kind !== "acquired");
            answers.push(stopped ? { kind: "not-tried" } : host.acquire(path, token, content));
          }
          const all = answers.every(({ kind }) => kind === "acquired");
          const checks = all ? thenCheck.map((path) => host.check(path)) : [];
          const clear = all && checks.every((check) => isClear(check, claims[0]?.token));
          return { claims: answers, checks, promotions: clear ? thenPromote.map((claim) => host.promote(claim)) : [] };
        },
        (unknown): AcquireResult => ({ claims: claims.map(() => unknown), checks: [], promotions: [] }),
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
        () => locks.map(({ path, token }) => host.release(path, token)),
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
  };
}

function isClear(check: CheckAnswer, token: string | undefined): boolean {
  return check.kind === "absent" || (check.kind === "held" && check.found.record?.token === token);
}

function sha256Of(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

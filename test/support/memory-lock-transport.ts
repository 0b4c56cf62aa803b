import { posix } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { parseLockRecord } from "../../src/lock/lock-record.ts";
import type {
  AcquireAnswer,
  CheckAnswer,
  FoundLock,
  LockTransport,
  ReleaseAnswer,
  Unknown,
} from "../../src/lock/lock-transport.ts";

type Entry = { readonly content: string; readonly touchedAt: number } | "symlink" | "directory" | "fifo";

/**
 * What happens to one operation: `before` it is lost on the way, `after` its answer is lost, `late` it is
 * carried out some time after it was given up, `refused` nothing was sent at all.
 */
export type Fault = "before" | "after" | "late" | "refused";

export interface OperationNote {
  readonly kind: "acquire" | "check" | "release";
  readonly host: string;
  /** 1 for the first operation on this host. */
  readonly number: number;
}

/** The lock files of an imagined host: one map, so that every operation is atomic. */
export class MemoryLockHost {
  readonly files = new Map<string, Entry>();
  readonly directories = new Set(["/locks"]);
  readonly name: string;
  operations = 0;
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
    this.files.set(path, { content, touchedAt: this.#clock.monotonic() });
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

  #found(entry: { content: string; touchedAt: number }): FoundLock {
    const [owner = "", second = ""] = entry.content.split("\n");
    const ageSeconds = Math.floor((this.#clock.monotonic() - entry.touchedAt) / 1000);
    return { owner, record: parseLockRecord(second) ?? null, ageSeconds };
  }
}

/** A way to such a host, with the faults of a network. A lost operation is given up after `operationMs`. */
export function createMemoryTransport(host: MemoryLockHost, clock: Clock, operationMs = 20_000): LockTransport {
  const send = <T>(
    kind: OperationNote["kind"],
    signal: AbortSignal,
    carryOut: () => T,
    giveUp: (unknown: Unknown) => T,
  ) => {
    const notSent = giveUp({ kind: "unknown", detail: "not sent", mayHaveRun: false });
    if (signal.aborted) return Promise.resolve(notSent);
    host.operations += 1;
    const fault = host.silent ? "before" : host.fault({ kind, host: host.name, number: host.operations });
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
    host: host.name,
    acquire: ({ claims, thenCheck }, signal) =>
      send(
        "acquire",
        signal,
        () => {
          const answers: AcquireAnswer[] = [];
          for (const { path, token, content } of claims) {
            const stopped = answers.some(({ kind }) => kind !== "acquired");
            answers.push(stopped ? { kind: "not-tried" } : host.acquire(path, token, content));
          }
          const all = answers.every(({ kind }) => kind === "acquired");
          return { claims: answers, checks: all ? thenCheck.map((path) => host.check(path)) : [] };
        },
        (unknown): { claims: AcquireAnswer[]; checks: CheckAnswer[] } => ({
          claims: claims.map(() => unknown),
          checks: [],
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
        () => locks.map(({ path, token }) => host.release(path, token)),
        (unknown) => locks.map((): ReleaseAnswer => unknown),
      ),
  };
}

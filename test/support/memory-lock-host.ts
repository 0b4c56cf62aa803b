import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Clock } from "../../src/base/clock.ts";
import { parseLockRecord } from "../../src/lock/lock-record.ts";
import type {
  AcquireAnswer,
  BeatAnswer,
  BreakAnswer,
  CheckAnswer,
  Claim,
  FenceAnswer,
  FingerprintAnswer,
  ForeignLock,
  FoundLock,
  HoldAnswer,
  OwnLock,
  ProbeAnswer,
  PromoteAnswer,
  ReleaseAnswer,
  StaleLock,
} from "../../src/lock/transport/lock-transport.ts";

/** `mtime` in seconds by the host's clock. */
type Entry = { readonly content: string; readonly mtime: number } | "symlink" | "directory" | "fifo";

/**
 * What happens to one operation: `before` it is lost on the way, `after` its answer is lost, `late` it is
 * carried out some time after it was given up, `refused` nothing was sent at all.
 */
export type Fault = "before" | "after" | "late" | "refused";

export interface OperationNote {
  readonly kind:
    | "acquire"
    | "check"
    | "release"
    | "holds"
    | "fence"
    | "beat"
    | "promote"
    | "break"
    | "breakForeign"
    | "fingerprint"
    | "probe";
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
  fileSystem = "memory";
  /** Hold files that may be locked, but not written. */
  readonly readOnly = new Set<string>();
  /** What hold files name as dead: `<hold file> <token>`. */
  readonly dead = new Set<string>();
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
    if (seen.kind === "held") return seen.found.record?.token === token ? { kind: "acquired", already: true } : seen;
    if (seen.kind === "absent") this.write(path, content);
    return seen.kind === "absent" ? { kind: "acquired" } : seen;
  }

  release({ path, token, withoutWriters = false }: OwnLock): ReleaseAnswer {
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    const { record } = seen.found;
    if (record?.token !== token) return { kind: "lost", found: seen.found };
    if (!withoutWriters && record.hold && record.state === "held" && this.writers.has(`${path}.hold`))
      return { kind: "in-use" };
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

  break({ path, token, mtime }: StaleLock): BreakAnswer {
    if (token === "") return { kind: "error", detail: "it has no token" };
    const seen = this.check(path);
    if (seen.kind !== "held") return seen;
    if (seen.found.record?.token !== token || seen.found.mtime !== mtime) return { kind: "changed", found: seen.found };
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
    const abilities = { exclusive: true, hardLinks: true, flock: true, fileSystem: this.fileSystem };
    const owner = { uid: 0, accountUid: 0, permissions: 0o755 };
    return { kind: "probed", mode: "full", ...abilities, ...owner, nowSeconds: this.#seconds() };
  }

  #own(
    path: string,
    token: string,
  ): { kind: "own"; content: string } | Exclude<ReleaseAnswer, { kind: "released" | "in-use" }> {
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
    if (!this.directories.has(posix.dirname(path)))
      return { kind: "error", detail: "its directory does not exist", noDirectory: true };
    const kind = this.writers.has(path) ? "in-use" : "free";
    return this.readOnly.has(path) ? { kind, readOnly: true } : { kind };
  }

  fence(path: string, token: string): FenceAnswer {
    if (token === "") return { kind: "error", detail: "it has no token" };
    const hold = this.hold(path);
    if (hold.kind === "error" || hold.kind === "unknown") return hold;
    if (hold.kind === "in-use") return { kind: "in-use" };
    if (this.readOnly.has(path)) return { kind: "error", detail: "it could not be written" };
    this.dead.add(`${path} ${token}`);
    return { kind: "fenced" };
  }

  #found({ content, mtime }: { content: string; mtime: number }): FoundLock {
    const [owner = "", second = ""] = content.split("\n");
    return { owner, record: parseLockRecord(second) ?? null, ageSeconds: this.#seconds() - mtime, mtime };
  }
}

function sha256Of(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

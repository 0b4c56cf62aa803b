import { join } from "node:path";
import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { Master, MasterDeps, MasterStart } from "./master.ts";

export interface KeeperDeps extends MasterDeps {
  readonly log: Logger;
  /** The directory for its sockets; a name is made for each master. */
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly start: (
    endpoint: SshEndpoint,
    socket: string,
    deps: MasterDeps & { signal: AbortSignal },
  ) => Promise<MasterStart>;
}

/** A session of somebody's, through a master. */
export interface Session {
  readonly socket: string;
  /** Milliseconds for a question and its answer, measured now or a while ago; undefined: nobody can tell. */
  readonly roundTrip: () => Promise<number | undefined>;
  /**
   * `well`: the other side answered to the end. `broken`: the connection may be to blame. `unclear`: it was stopped.
   * Afterwards the session is over.
   */
  readonly end: (how: SessionEnd) => void;
}

export type SessionEnd = "well" | "broken" | "unclear";

interface Kept {
  readonly master: Master;
  readonly bornAt: number;
  users: number;
  /** When the other side was last known to answer. */
  provenAt: number;
  proving: Promise<boolean> | undefined;
  /** Nobody else is let in; it ends with its last user. */
  retired: boolean;
  cancelIdle: CancelTimer | undefined;
}

/** A sync waits so long for a master to log in, or to prove that it still reaches the other side. */
const patienceMs = 5000;
/** After so long without a proof a connection may have died unnoticed. */
const freshMs = 5000;
/** A key or an ssh configuration may have been changed since. */
const longestLifeMs = 3_600_000;
/** sshd allows ten (MaxSessions); the operator may need one, too. */
const mostSessions = 8;
const roundTripKeptMs = 600_000;

/** The master of one endpoint: starts it when it is needed, proves it, replaces it, ends it when it is idle. */
export class MasterKeeper {
  readonly #endpoint: SshEndpoint;
  readonly #idleMs: number;
  readonly #name: string;
  readonly #deps: KeeperDeps;
  readonly #breaker = new CircuitBreaker();
  readonly #living = new Set<Kept>();
  #current: Kept | undefined;
  #starting: { readonly since: number; readonly done: Promise<Kept | undefined> } | undefined;
  #roundTrip: { readonly until: number; readonly ms: Promise<number | undefined> } | undefined;
  #count = 0;
  #told: string | undefined;

  /** `name`: begins the names of its sockets. */
  constructor({ endpoint, idleMs, name }: { endpoint: SshEndpoint; idleMs: number; name: string }, deps: KeeperDeps) {
    this.#endpoint = endpoint;
    this.#idleMs = idleMs;
    this.#name = name;
    this.#deps = deps;
  }

  /** A session, or undefined: the sync has to connect by itself. Never rejects; takes some seconds at most. */
  async take(signal: AbortSignal): Promise<Session | undefined> {
    const kept = await this.#usable(signal);
    if (kept === undefined || kept.users >= mostSessions) return undefined;
    kept.users += 1;
    kept.cancelIdle?.();
    if (this.#now() - kept.provenAt > freshMs && !(await this.#proves(kept, signal))) {
      this.#leave(kept);
      return undefined;
    }
    let over = false;
    return {
      socket: kept.master.socket,
      roundTrip: () => this.#measure(kept),
      end: (how) => {
        if (over) return;
        over = true;
        this.#end(kept, how);
      },
    };
  }

  /** Ends every master; one that is being started ends with the signal of the keeper. */
  async close(): Promise<void> {
    await this.#starting?.done;
    await Promise.all([...this.#living].map((kept) => this.#stop(kept)));
  }

  async #usable(signal: AbortSignal): Promise<Kept | undefined> {
    const kept = this.#current;
    if (kept !== undefined && !kept.master.ended) {
      if (this.#now() - kept.bornAt <= longestLifeMs) return kept;
      this.#retire(kept, "it is old");
    }
    if (this.#breaker.refusal(this.#now()) !== undefined) return undefined;
    this.#starting ??= { since: this.#now(), done: this.#start() };
    const { since, done } = this.#starting;
    const started = await within(done, Math.max(0, since + patienceMs - this.#now()), { ...this.#deps, signal });
    return started === undefined || started.retired || started.master.ended ? undefined : started;
  }

  async #start(): Promise<Kept | undefined> {
    const { directory, start, log, signal } = this.#deps;
    this.#count += 1;
    const result = await start(this.#endpoint, join(directory, `${this.#name}.${this.#count}`), this.#deps);
    this.#starting = undefined;
    const { host } = this.#endpoint;
    if (result.kind !== "ready") {
      if (signal.aborted) return undefined;
      this.#breaker.failed(result.message, this.#now());
      if (this.#told !== result.message) {
        log.warn({ host, reason: result.message }, "no shared ssh connection: syncs connect by themselves");
      }
      this.#told = result.message;
      return undefined;
    }
    this.#breaker.succeeded();
    this.#told = undefined;
    log.debug({ host, socket: result.master.socket }, "shared ssh connection opened");
    const now = this.#now();
    const kept: Kept = {
      ...{ master: result.master, bornAt: now, users: 0, provenAt: now, proving: undefined },
      ...{ retired: false, cancelIdle: undefined },
    };
    this.#living.add(kept);
    this.#current = kept;
    result.master.onEnded(() => this.#forget(kept));
    this.#rest(kept);
    return kept;
  }

  async #proves(kept: Kept, signal: AbortSignal): Promise<boolean> {
    kept.proving ??= kept.master.answers(patienceMs).then((answers) => {
      kept.proving = undefined;
      if (answers) kept.provenAt = this.#now();
      else this.#retire(kept, "the other side did not answer through it");
      return answers;
    });
    return (await within(kept.proving, patienceMs, { ...this.#deps, signal })) === true;
  }

  #end(kept: Kept, how: SessionEnd): void {
    if (how === "well") kept.provenAt = this.#now();
    else if (how === "broken") this.#retire(kept, "a sync through it failed");
    // Whoever was stopped may have been stopped because nothing moved any more.
    else if (!kept.master.ended && !kept.retired) void this.#proves(kept, this.#deps.signal);
    this.#leave(kept);
  }

  #leave(kept: Kept): void {
    kept.users -= 1;
    this.#rest(kept);
  }

  #rest(kept: Kept): void {
    if (kept.users > 0) return;
    if (kept.retired) return void this.#stop(kept);
    kept.cancelIdle = this.#deps.clock.setTimer(this.#idleMs, () => this.#retire(kept, "nobody used it"));
  }

  #retire(kept: Kept, reason: string): void {
    if (kept.retired) return;
    kept.retired = true;
    if (this.#current === kept) this.#current = undefined;
    this.#deps.log.debug({ host: this.#endpoint.host, reason }, "shared ssh connection given up");
    if (kept.users === 0) void this.#stop(kept);
  }

  #stop(kept: Kept): Promise<void> {
    kept.retired = true;
    kept.cancelIdle?.();
    return kept.master.stop();
  }

  #forget(kept: Kept): void {
    kept.cancelIdle?.();
    this.#living.delete(kept);
    if (this.#current === kept) this.#current = undefined;
  }

  #measure(kept: Kept): Promise<number | undefined> {
    const known = this.#roundTrip;
    if (known !== undefined && this.#now() < known.until) return known.ms;
    const ms = kept.master.roundTrip(patienceMs);
    this.#roundTrip = { until: this.#now() + roundTripKeptMs, ms };
    return ms;
  }

  #now(): number {
    return this.#deps.clock.monotonic();
  }
}

/** What a promise that does not reject resolves to within `ms`; undefined also as soon as the signal is aborted. */
function within<T>(
  promise: Promise<T>,
  ms: number,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<T | undefined> {
  if (signal.aborted || ms <= 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const finish = (value: T | undefined) => {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      resolve(value);
    };
    const onAbort = () => finish(undefined);
    const cancelTimer = clock.setTimer(ms, onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    void promise.then(finish);
  });
}

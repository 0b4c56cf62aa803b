import type { Clock } from "../../src/base/clock.ts";
import type { Block, LockFile, SshEndpoint } from "../../src/config/resolved.ts";
import type { ClaimJournal } from "../../src/lock/claim/claim-journal.ts";
import { createJobLocks, type JobLocks } from "../../src/lock/job-locks.ts";
import { formatLockContent, type LockOwner, type LockRecord } from "../../src/lock/lock-record.ts";
import type { LockTimings } from "../../src/lock/lock-timings.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { createProbedTransport } from "../../src/lock/transport/probe.ts";
import type { OwnerProbe } from "../../src/lock/lease/stale-watch-owner.ts";
import type { TransportPool } from "../../src/lock/transport/transport-pool.ts";
import { EventLog } from "./event-log.ts";
import { createMemoryLog } from "./memory-log.ts";
import type { Fault, MemoryLockHost, OperationNote } from "./memory-lock-host.ts";
import { createMemoryTransport } from "./memory-lock-transport.ts";

const testOwner: LockOwner = {
  inst: "11111111-2222-3333-4444-555555555555",
  name: "director",
  host: "laptop01",
  machine: "0123456789abcdef",
  boot: "b",
  pid: 4321,
  start: 99,
};

/** The content of somebody's lock file; a test names only what it is about. */
export function lockContent(overrides: Partial<LockRecord> = {}): string {
  return formatLockContent({
    v: 1,
    token: "somebody-elses-token-00",
    state: "held",
    rank: "ffffsomebody-elses-token-00",
    owner: { ...testOwner, name: "other", pid: 777 },
    job: "their-job",
    run: "their-run",
    hb: 0,
    ttl: 0,
    hold: false,
    created: "2026-03-01T00:00:00.000Z",
    ...overrides,
  });
}

/** A lock file on an imagined host (`MemoryLockHost.name`). */
export function remoteLock(host: string, path: string): LockFile {
  const endpoint: SshEndpoint = {
    host,
    user: undefined,
    port: undefined,
    identityFile: undefined,
    knownHostsFile: undefined,
    hostKeyPolicy: "strict",
    connectTimeoutMs: 1000,
    jumpHost: undefined,
    transport: "auto",
    options: {},
  };
  return { type: "remote", path, endpoint };
}

export function blockOn(lock: LockFile, overrides: Partial<Block> = {}): Block {
  return { lock, waitTimeMs: 10_000, timeoutMs: undefined, onTimeout: "skip", ...overrides };
}

/** One director's locks on imagined hosts, with what it said and emitted. */
export function createDirector(options: {
  hosts: readonly MemoryLockHost[];
  clock: Clock;
  random?: () => number;
  timings?: Partial<LockTimings>;
  name?: string;
  /** What happens to its operations on their way, besides what their host does. */
  fault?: (operation: OperationNote) => Fault | undefined;
  owners?: OwnerProbe;
  journal?: ClaimJournal;
  /** Tries directories before it claims in them, as the daemon does. */
  probed?: boolean;
  /** Further names, each a way of its own to one of the hosts, and what the name of a lock there is resolved to. */
  names?: Readonly<Record<string, { readonly host: MemoryLockHost; readonly key?: string }>>;
}): { locks: JobLocks; events: EventLog; log: ReturnType<typeof createMemoryLog> } {
  const {
    hosts,
    clock,
    random = () => 0.5,
    timings,
    name = "director",
    fault,
    owners,
    journal,
    probed,
    names,
  } = options;
  const events = new EventLog();
  const log = createMemoryLog();
  const transports = memoryTransportPool(hosts, clock, fault, probed, names);
  const owner = { ...testOwner, name };
  const replaced = { ...(timings && { timings }), ...(owners && { owners }), ...(journal && { journal }) };
  return {
    locks: createJobLocks({ transports, clock, random, events, log, owner, ...replaced }),
    events,
    log,
  };
}

/** The ways to imagined hosts; the one called `local` is this host. */
export function memoryTransportPool(
  hosts: readonly MemoryLockHost[],
  clock: Clock,
  fault?: (operation: OperationNote) => Fault | undefined,
  probed = false,
  names: NonNullable<Parameters<typeof createDirector>[0]["names"]> = {},
): TransportPool {
  const wayTo = (host: MemoryLockHost) => {
    const transport = createMemoryTransport(host, clock, 20_000, fault);
    return probed ? createProbedTransport({ transport, clock, allows: () => undefined }) : transport;
  };
  const transports = new Map<string, LockTransport>([
    ...hosts.map((host) => [host.name, wayTo(host)] as const),
    ...Object.entries(names).map(([name, { host }]) => [name, wayTo(host)] as const),
  ]);
  return {
    locate: (lock) => {
      const host = lock.type === "local" ? "local" : lock.endpoint.host;
      const transport = transports.get(host);
      if (transport === undefined) throw new Error(`the test has no host ${host}`);
      const place = { host: lock.type === "local" ? null : host, path: lock.path };
      const key = `${names[host]?.key ?? host}\n${lock.path}`;
      return Promise.resolve({ transport, path: lock.path, place, key });
    },
  };
}

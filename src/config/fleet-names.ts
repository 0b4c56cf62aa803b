import { companion } from "./check-locks.ts";
import {
  type FleetFinding,
  type FleetJob,
  type FleetMember,
  makeFinding,
  nameJob,
  type NamedLock,
  placeOf,
  shownHost,
  spellingOf,
} from "./fleet.ts";

interface Use {
  readonly of: FleetJob;
  readonly lock: NamedLock;
  readonly takes: boolean;
}

/** What is wrong with the names of lock files, and with what the files say about the same lock. */
export function findNameFlaws(jobs: readonly FleetJob[], members: readonly FleetMember[]): FleetFinding[] {
  const uses = jobs.flatMap((of): Use[] => [
    ...of.takes.map((lock) => ({ of, lock, takes: true })),
    ...of.waits.map((lock) => ({ of, lock, takes: false })),
  ]);
  const byKey = new Map<string, Use[]>();
  for (const use of uses) byKey.set(use.lock.key, [...(byKey.get(use.lock.key) ?? []), use]);
  return [
    ...uses.flatMap((use) => findCompanion(use, byKey)),
    ...uses.flatMap((use) => findElsewhere(use, { uses, byKey, members })),
    ...[...byKey.values()].flatMap((same) => [
      ...findLegacy(same),
      ...findSpellings(same),
      ...findAccounts(same),
      ...findLeases(same),
    ]),
    ...findPorts(byKey),
  ];
}

function findCompanion({ of, lock, takes }: Use, byKey: ReadonlyMap<string, readonly Use[]>): FleetFinding[] {
  for (let { key } = lock; companion.test(key);) {
    key = key.replace(companion, "");
    const [other] = byKey.get(key) ?? [];
    // Within one file it is an error of that file, and was told as such.
    if (other === undefined || other.of.member === of.member) continue;
    const lasts =
      /\.(?:guard|hold)$/.test(lock.key) && !takes ? ", which is there for ever: the job would never begin" : "";
    return [
      makeFinding(of.member, lock.where, {
        level: "error",
        kind: "companion",
        message: `${lock.shown} is a file that belongs to the lock ${other.lock.shown} of ${nameJob(other.of)}${lasts}`,
        remedy: "choose another name",
      }),
    ];
  }
  return [];
}

/** Waiting for a file that nobody makes there, while somebody makes one of that name elsewhere. */
function findElsewhere(
  { of, lock, takes }: Use,
  all: { uses: readonly Use[]; byKey: ReadonlyMap<string, readonly Use[]>; members: readonly FleetMember[] },
): FleetFinding[] {
  const { uses, byKey, members } = all;
  if (takes || lock.lock.peer === "legacy" || byKey.get(lock.key)?.some((use) => use.takes) === true) return [];
  if (!members.some((member) => shownHost(member) === lock.host)) return [];
  const other = uses.find((use) => use.takes && use.lock.path === lock.path && use.of !== of);
  if (other === undefined) return [];
  return [
    makeFinding(of.member, lock.where, {
      level: "warning",
      kind: "elsewhere",
      message: `nobody here makes ${lock.shown}, but ${nameJob(other.of)} makes ${other.lock.shown}`,
      remedy: `name the host on which that one lies, if it is meant; or say which host a file belongs to: NAME=FILE`,
    }),
  ];
}

/** The original overwrites and removes what is at the path of its own lock file. */
function findLegacy(same: readonly Use[]): FleetFinding[] {
  const marked = same.find(({ lock, takes }) => !takes && lock.lock.peer === "legacy");
  const maker = same.find(({ takes }) => takes);
  if (marked === undefined || maker === undefined) return [];
  return [
    makeFinding(marked.of.member, marked.lock.where, {
      level: "error",
      kind: "legacy-peer",
      message: `${marked.lock.shown} is marked peer: legacy, so that the original makes it, but ${nameJob(maker.of)} has it in lock_files too: the original overwrites and removes what it finds there`,
      remedy: `give job ${maker.of.job.id} a lock file of its own, or drop peer: legacy if the original does not make this one`,
    }),
  ];
}

/** A hold file on another host is named by what its lock's host is called, so that all have to call it the same. */
function findSpellings(same: readonly Use[]): FleetFinding[] {
  const first = same.find(({ lock }) => lock.lock.type === "remote");
  return same.flatMap((use) => {
    const { of, lock } = use;
    if (lock.lock.type === "local") return [];
    const spelled = spellingOf(lock.lock.endpoint);
    if (lock.host === shownHost(of.member)) {
      return tellSpelling(use, `lies on ${lock.host} itself, but is given as type: remote`, "write type: local");
    }
    const other = first?.lock.lock.type === "remote" ? spellingOf(first.lock.lock.endpoint) : spelled;
    if (first === undefined || other === spelled) return [];
    const message = `its host is called ${spelled} here and ${other} at ${placeOf(first.of.member, first.lock.where)}`;
    return tellSpelling(use, message, `write the same name, port and all, in both`);
  });
}

function tellSpelling({ of, lock }: Use, message: string, remedy: string): FleetFinding[] {
  const text = `${lock.shown}: ${message}: two spellings can make two hold locks, which do not keep each other's writers away`;
  return [makeFinding(of.member, lock.where, { level: "warning", kind: "spelling", message: text, remedy })];
}

/** One path at two ports of one name: the same host, or two behind one address? */
function findPorts(byKey: ReadonlyMap<string, readonly Use[]>): FleetFinding[] {
  const seen = new Map<string, Use>();
  return [...byKey.values()].flatMap(([use]) => {
    if (use?.lock.lock.type !== "remote") return [];
    const name = `${use.lock.lock.endpoint.host.toLowerCase()}\n${use.lock.path}`;
    const other = seen.get(name);
    seen.set(name, other ?? use);
    if (other === undefined || isLoopback(use.lock.lock.endpoint.host)) return [];
    const message = `is the path of ${other.lock.shown} (${placeOf(other.of.member, other.lock.where)}) too, at another port: if that is one host it is one lock in two spellings`;
    return tellSpelling(use, message, "write the same port in both, if it is one host");
  });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** A directory for locks belongs to root or to the account that locks there, and nobody else may write. */
function findAccounts(same: readonly Use[]): FleetFinding[] {
  const makers = same.filter(({ takes, lock }) => takes && lock.lock.type === "remote");
  const userOf = ({ lock }: Use) => (lock.lock.type === "remote" ? lock.lock.endpoint.user : undefined);
  const [first, ...others] = makers.filter((use) => userOf(use) !== undefined && !allowsUnsafe(use));
  const other = others.find((use) => userOf(use) !== userOf(first as Use));
  if (first === undefined || other === undefined) return [];
  return [
    makeFinding(other.of.member, other.lock.where, {
      level: "warning",
      kind: "accounts",
      message: `${other.lock.shown} is made by ${userOf(other)} here and by ${userOf(first)} for ${nameJob(first.of)}: its directory can belong to one of them only`,
      remedy: "use one account for the locks of a directory (user: at the lock file)",
    }),
  ];
}

function allowsUnsafe({ lock }: Use): boolean {
  return lock.lock.allows?.unsafeDirectory === true;
}

/** How long a dead owner blocks the others should not depend on who it was. */
function findLeases(same: readonly Use[]): FleetFinding[] {
  const [first, ...others] = same.filter(({ takes }) => takes);
  if (first === undefined) return [];
  const words = ({ of }: Use) => `ttl ${of.job.lease.ttlMs / 1000} s, heartbeat ${of.job.lease.heartbeatMs / 1000} s`;
  const other = others.find((use) => words(use) !== words(first));
  if (other === undefined) return [];
  return [
    makeFinding(other.of.member, other.of.where, {
      level: "warning",
      kind: "lease",
      message: `job ${other.of.job.id} takes ${other.lock.shown} with ${words(other)}, ${nameJob(first.of)} with ${words(first)}: how long it stays blocked after a crash depends on who held it`,
      remedy: "write the same lock: {ttl, heartbeat} in both",
    }),
  ];
}

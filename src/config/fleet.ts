import { basename, posix } from "node:path";
import type { ConfigProblem, KeyPath } from "./problem.ts";
import type { Config, Job, LockFile, SshEndpoint } from "./resolved.ts";

/** One configuration among several, and the host that it belongs to. */
export interface FleetMember {
  readonly config: Config;
  /** Names by which the others may call its host; the first is the one that is shown. */
  readonly hosts: readonly string[];
  /** Somebody said so, or its place did; otherwise `rsync_id` is taken for the host's name. */
  readonly hostIsCertain: boolean;
  readonly find: (where: KeyPath) => Omit<ConfigProblem, "message">;
}

/** What was found by looking at several configurations, or several jobs, at once. */
export interface FleetFinding extends ConfigProblem {
  readonly level: "error" | "warning";
  readonly kind: FindingKind;
  /** What to do. */
  readonly remedy: string;
}

export type FindingKind =
  | "one-sided"
  | "circle"
  | "starvation"
  | "deadlock"
  | "companion"
  | "legacy-peer"
  | "spelling"
  | "accounts"
  | "elsewhere"
  | "lease"
  | "instance";

/** A job of one of the configurations. */
export interface FleetJob {
  readonly member: FleetMember;
  readonly job: Job;
  readonly where: KeyPath;
  readonly takes: readonly NamedLock[];
  readonly waits: readonly NamedLock[];
}

/** A lock file as one job names it. */
export interface NamedLock {
  /** Equal keys are the same file, as far as the names tell. */
  readonly key: string;
  /** `host:path`, for people; the host is named also where the lock is local. */
  readonly shown: string;
  readonly host: string;
  readonly path: string;
  readonly lock: LockFile;
  readonly where: KeyPath;
}

/**
 * A file whose jobs reach a host that is called like its `rsync_id` is named after that one, and belongs to
 * another: its own host is one that nobody names.
 */
export function guessHost(member: FleetMember): FleetMember {
  const { config, hostIsCertain } = member;
  if (hostIsCertain) return member;
  const endpoints = config.jobs.flatMap(({ targets, lockFiles, blocksOn }) => [
    ...targets.map(({ endpoint }) => endpoint),
    ...[...lockFiles, ...blocksOn.map(({ lock }) => lock)].map((lock) =>
      lock.type === "remote" ? lock.endpoint : undefined,
    ),
  ]);
  const names = new Set(endpoints.flatMap((endpoint) => (endpoint === undefined ? [] : [endpoint.host.toLowerCase()])));
  return names.has(config.rsyncId.toLowerCase())
    ? { ...member, hosts: [`the host of ${basename(config.file)}`] }
    : member;
}

/** The enabled jobs of all configurations with their locks. */
export function listFleetJobs(members: readonly FleetMember[]): FleetJob[] {
  return members.flatMap((member) =>
    member.config.jobs.flatMap((job, index) => {
      if (!job.enabled) return [];
      const where: KeyPath = ["jobs", index];
      const name = (lock: LockFile, key: string, number: number): NamedLock => {
        const host = hostOf(lock, member, members);
        const path = posix.normalize(lock.path);
        return { key: `${host}\n${path}`, shown: `${host}:${path}`, host, path, lock, where: [...where, key, number] };
      };
      const takes = job.lockFiles.map((lock, number) => name(lock, "lock_files", number));
      const waits = job.blocksOn.map(({ lock }, number) => name(lock, "blocks_on", number));
      return [{ member, job, where, takes, waits }];
    }),
  );
}

const ownNames = new Set(["localhost", "127.0.0.1", "::1"]);

function hostOf(lock: LockFile, member: FleetMember, members: readonly FleetMember[]): string {
  if (lock.type === "local") return shownHost(member);
  const { host, port = 22 } = lock.endpoint;
  const name = host.toLowerCase();
  const called = (text: string) => members.find(({ hosts }) => hosts.some((other) => other.toLowerCase() === text));
  const known = called(`${name}:${port}`) ?? called(name);
  if (known !== undefined) return shownHost(known);
  // On other ports of loopback may be the sshd of a container, or the end of a tunnel.
  if (ownNames.has(name) && port === 22) return shownHost(member);
  const similar = members.filter(({ hosts }) => hosts.some((other) => isShortFor(other.toLowerCase(), name)));
  const [only] = similar;
  if (only !== undefined && similar.length === 1) return shownHost(only);
  return port === 22 ? name : `${name}:${port}`;
}

export function shownHost({ hosts, config }: FleetMember): string {
  return (hosts[0] ?? config.rsyncId).toLowerCase();
}

/** `backup01` and `backup01.example.org`, either way round. */
function isShortFor(one: string, other: string): boolean {
  if (/^[\d.]+$|:/.test(one) || /^[\d.]+$|:/.test(other)) return false;
  return !one.includes(".") ? other.startsWith(`${one}.`) : !other.includes(".") && one.startsWith(`${other}.`);
}

export function spellingOf({ host, port }: SshEndpoint): string {
  return port === undefined || port === 22 ? host : `${host}:${port}`;
}

/** `job home (laptop.yaml:12)`. */
export function nameJob({ job, member, where }: FleetJob): string {
  return `job ${job.id} (${placeOf(member, where)})`;
}

export function placeOf(member: FleetMember, where: KeyPath): string {
  const { file, line } = member.find(where);
  return line === undefined ? file : `${file}:${line}`;
}

export function makeFinding(
  member: FleetMember,
  where: KeyPath,
  finding: Pick<FleetFinding, "level" | "kind" | "message" | "remedy">,
): FleetFinding {
  return { ...member.find(where), ...finding };
}

import { posix } from "node:path";
import type { Config, LockAllowances, LockFile, SshEndpoint } from "../../config/resolved.ts";

/** A directory that lock files lie in. */
export interface LockDirectory {
  readonly path: string;
  /** Whether jobs of this configuration make lock files there, or only look at those of others. */
  readonly claims: boolean;
  readonly allows: LockAllowances | undefined;
  /** A job with locks there runs here and writes to yet another host. */
  readonly third?: true;
}

/** A directory for the hold files of locks that lie on another host than the one that is written. */
export interface HoldDirectory {
  readonly path: string;
  /** A job fails without a hold lock (`hold: required`); the others run unfenced. */
  readonly required: boolean;
}

/** A host of the configuration with everything that it is needed for. */
export interface DoctorHost {
  /** null is this host. */
  readonly endpoint: SshEndpoint | null;
  readonly lockDirectories: readonly LockDirectory[];
  readonly holdDirectories: readonly HoldDirectory[];
  /** What rsync writes to there. */
  readonly destinations: readonly string[];
  /** Whether rsync runs there. */
  readonly needsRsync: boolean;
  readonly jobs: readonly string[];
}

interface Draft {
  endpoint: SshEndpoint | null;
  directories: Map<string, LockDirectory>;
  holds: Map<string, HoldDirectory>;
  destinations: Set<string>;
  needsRsync: boolean;
  jobs: Set<string>;
}

/** Every host that the jobs, locks and blocks name, this one first; accounts of one host count as several. */
export function hostsOfConfig(config: Config): DoctorHost[] {
  const drafts = new Map<string, Draft>();
  const draftOf = (endpoint: SshEndpoint | null, job: string): Draft => {
    const key = endpoint === null ? "" : JSON.stringify(endpoint);
    const draft = drafts.get(key) ?? newDraft(endpoint);
    drafts.set(key, draft);
    draft.jobs.add(job);
    return draft;
  };
  const addLock = (lock: LockFile, { id, claims, third }: { id: string; claims: boolean; third: boolean }) => {
    const draft = draftOf(lock.type === "local" ? null : lock.endpoint, id);
    const path = posix.dirname(lock.path);
    const before = draft.directories.get(path);
    const allows = lock.allows ?? before?.allows;
    const elsewhere = third || before?.third === true ? { third: true as const } : {};
    draft.directories.set(path, { path, claims: claims || before?.claims === true, allows, ...elsewhere });
  };
  drafts.set("", newDraft(null));
  for (const job of config.jobs) {
    const syncs = job.actions.filter((action) => action.kind === "sync");
    const here = draftOf(null, job.id);
    if (syncs.length > 0) here.needsRsync = true;
    const places = job.targets.map(({ endpoint, dest: own }) => {
      const there = endpoint === undefined ? here : draftOf(endpoint, job.id);
      if (syncs.length > 0) there.needsRsync = true;
      const written = job.direction === "pull" ? here : there;
      for (const { dest } of syncs) written.destinations.add(own ?? dest);
      return written;
    });
    for (const written of places) {
      if (syncs.length === 0 || job.hold === "off" || !job.lockFiles.some((lock) => isElsewhere(lock, written)))
        continue;
      const required = job.hold === "required" || written.holds.get(job.holdDir)?.required === true;
      written.holds.set(job.holdDir, { path: job.holdDir, required });
    }
    const isThird = (lock: LockFile) =>
      syncs.length > 0 &&
      lock.type === "remote" &&
      places.some((written) => lock.endpoint.host !== written.endpoint?.host);
    for (const lock of job.lockFiles) addLock(lock, { id: job.id, claims: true, third: isThird(lock) });
    for (const { lock } of job.blocksOn) addLock(lock, { id: job.id, claims: false, third: false });
  }
  return [...drafts.values()].map(({ endpoint, directories, holds, destinations, needsRsync, jobs }) => ({
    endpoint,
    lockDirectories: [...directories.values()],
    holdDirectories: [...holds.values()],
    destinations: [...destinations],
    needsRsync,
    jobs: [...jobs],
  }));
}

function isElsewhere(lock: LockFile, { endpoint }: Draft): boolean {
  if (lock.type === "local") return endpoint !== null;
  return lock.endpoint.host !== endpoint?.host || lock.endpoint.port !== endpoint.port;
}

function newDraft(endpoint: SshEndpoint | null): Draft {
  const none = { directories: new Map(), holds: new Map(), destinations: new Set<string>(), jobs: new Set<string>() };
  return { endpoint, ...none, needsRsync: false };
}

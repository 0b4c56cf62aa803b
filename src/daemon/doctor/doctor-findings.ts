import { posix } from "node:path";
import type { CheckAnswer, DirectoryAbilities, ProbeAnswer } from "../../lock/transport/lock-transport.ts";
import { findDirectoryFlaws, hasNoFlock, isAllowed, isVolatile } from "../../lock/transport/probe.ts";
import { judgeRsyncVersion } from "../../rsync/known-versions.ts";
import type { HostFacts, SpaceFact } from "./doctor-facts.ts";
import type { DoctorHost, HoldDirectory, LockDirectory } from "./doctor-hosts.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly check: string;
  readonly state: "ok" | "warning" | "problem";
  readonly message: string;
  /** What to do, where possible a command to paste. */
  readonly remedy?: string;
}

export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message };
}

export function warning(check: string, message: string, remedy?: string): Finding {
  return { check, state: "warning", message, ...(remedy === undefined ? {} : { remedy }) };
}

export function problem(check: string, message: string, remedy?: string): Finding {
  return { check, state: "problem", message, ...(remedy === undefined ? {} : { remedy }) };
}

const localDirectory = "choose a directory on a local file system";

/** What a trial says about a directory for locks. */
export function judgeLockDirectory(directory: LockDirectory, answer: ProbeAnswer | undefined): Finding {
  const { path, allows } = directory;
  const check = "lock directory";
  if (answer === undefined || answer.kind === "unknown") {
    return problem(check, `${path}: ${answer?.detail ?? "no answer"}`, "look again: rsyncdirector doctor");
  }
  if (answer.kind === "error")
    return problem(check, `${path}: ${answer.detail}`, remedyOfDirectory(path, answer.detail));
  const flaws = findDirectoryFlaws(answer);
  const forbidden = flaws.filter((flaw) => !isAllowed(flaw, allows));
  const about = `${path}: ${flaws.map(({ message }) => message).join("; ")}`;
  if (forbidden.length > 0) return problem(check, about, remedyOfFlaws(path, forbidden, answer));
  if (flaws.length > 0) return warning(check, `${about} (the configuration allows it)`);
  if (directory.third === true && isVolatile(answer)) {
    const message = `${path} is on ${answer.fileSystem}: when that host is rebooted the locks are gone, while a job that holds them still writes to another host`;
    return warning(check, message, "choose a directory that outlives a reboot, or one on the host that is written");
  }
  return ok(check, `${path}: ${describeAbilities(answer)}`);
}

/** What a trial says about a directory for hold files: without them a job runs unfenced, or not at all. */
export function judgeHoldDirectory({ path, required }: HoldDirectory, answer: ProbeAnswer | undefined): Finding {
  const check = "hold directory";
  const flaw = flawOfHolds(answer);
  if (flaw === undefined) return ok(check, `${path}: writers can hold kernel locks there`);
  const unable = required ? "jobs with hold: required fail" : "jobs that write here run unfenced";
  const message = `${path}: ${flaw}; ${unable}`;
  const remedy = answer?.kind === "probed" ? remedyOfFlock(answer) : remedyOfDirectory(path, flaw);
  return required ? problem(check, message, remedy) : warning(check, message, remedy);
}

function flawOfHolds(answer: ProbeAnswer | undefined): string | undefined {
  if (answer === undefined) return "no answer";
  if (answer.kind !== "probed") return answer.detail;
  if (answer.flock !== false) return undefined;
  return hasNoFlock(answer) ? "the host has no working flock(1)" : "flock(1) does not work there";
}

function remedyOfFlock(answer: ProbeAnswer): string {
  return hasNoFlock(answer) ? "apt-get install util-linux" : localDirectory;
}

/** Where locks of others are only looked for, one need not be able to write: to be able to look is enough. */
export function judgeBlocks(path: string, look: CheckAnswer | undefined): Finding {
  const flaw =
    look === undefined ? "no answer" : look.kind === "error" || look.kind === "unknown" ? look.detail : undefined;
  if (flaw === undefined) return ok("blocks", `${path} can be looked at`);
  return problem("blocks", `${path}: ${flaw}`, remedyOfDirectory(path, flaw));
}

/** The account runs no commands, so that rsync cannot be asked. */
export function judgeRsyncWithoutShell(needed: boolean): Finding | undefined {
  if (!needed) return undefined;
  return warning(
    "rsync",
    "the account runs no commands of ours: a sync works only if the account lets rsync through (rrsync)",
    "allow rsync for this account, or use one that runs commands; the locks may have a user of their own",
  );
}

function describeAbilities({ mode, fileSystem, permissions, uid, linkUid }: DirectoryAbilities): string {
  const tried = mode === "full" ? "exclusive creation, hard links and flock work" : "exclusive creation works";
  const owner = uid === 0 ? "root" : `user ${uid}`;
  const where = fileSystem === "" ? "" : ` on ${fileSystem}`;
  const link = linkUid === undefined ? "" : ", by a symbolic link";
  return `${tried}${where}; ${owner}, mode ${permissions.toString(8).padStart(4, "0")}${link}`;
}

function remedyOfDirectory(path: string, detail: string): string | undefined {
  if (/permission denied|not be entered/i.test(detail))
    return `ls -ld '${path}', and give it to the account that locks there`;
  if (!detail.includes("does not exist")) return `ls -ld '${path}'`;
  const make = `install -d -m 0755 '${path}'`;
  return path.startsWith("/run/") || path.startsWith("/var/run/")
    ? `${make} && echo 'd ${path} 0755 root root -' > /etc/tmpfiles.d/${posix.basename(path)}.conf`
    : make;
}

function remedyOfFlaws(
  path: string,
  flaws: ReturnType<typeof findDirectoryFlaws>,
  found: DirectoryAbilities,
): string | undefined {
  if (flaws.some(({ key }) => key === undefined)) return localDirectory;
  if (flaws.some(({ key }) => key === "allow_network_filesystem")) return localDirectory;
  const { uid, linkUid = 0, accountUid } = found;
  const link = linkUid === 0 || linkUid === accountUid ? "" : `chown -h root '${path}' && `;
  const owner = uid === 0 || uid === accountUid ? "" : `chown root '${path}' && `;
  return `${link}${owner}chmod go-w '${path}', or choose a directory of its own`;
}

const hugeOffset = 3600;
const largeOffset = 60;

/** `offset` in seconds, positive: the host is ahead. Locks do not depend on it, dates of files do. */
export function judgeClock(offset: number): Finding {
  const size = Math.abs(offset);
  const words = `${size < 10 ? size.toFixed(1) : Math.round(size)} s ${offset < 0 ? "behind" : "ahead of"} this host`;
  if (size < 2) return ok("clock", "agrees with this host's");
  const remedy = "timedatectl set-ntp true";
  if (size >= hugeOffset)
    return problem("clock", `${words}: rsync --update and --modify-window would be wrong`, remedy);
  return size >= largeOffset ? warning("clock", words, remedy) : ok("clock", words);
}

/** rsync's version there; distributions repair old versions, so an old one is no more than a warning. */
export function judgeRsync(facts: HostFacts, needed: boolean): Finding | undefined {
  if (facts.rsync === undefined) {
    return needed ? problem("rsync", "is not installed", "apt-get install rsync") : undefined;
  }
  const note = judgeRsyncVersion(facts.rsync);
  if (note === undefined) return warning("rsync", `says ${JSON.stringify(facts.rsync)}`);
  const name = `${note.version}${facts.rsyncPackage === undefined ? "" : ` (package ${facts.rsyncPackage})`}`;
  if (note.flaw === undefined) return ok("rsync", name);
  const message = `${name} has ${note.flaw}, unless the distribution repaired it`;
  return warning("rsync", message, "apt-get install --only-upgrade rsync");
}

/** Room for data and for locks; a directory that is missing is told of where it matters. */
export function judgeSpace(host: DoctorHost, facts: HostFacts): Finding[] {
  const destinations = host.destinations.flatMap((path) => judgeRoom("destination", path, facts.space.get(path)));
  const locks = host.lockDirectories
    .filter(({ claims }) => claims)
    .flatMap(({ path }) =>
      judgeRoom("lock directory", path, facts.space.get(path)).filter(({ state }) => state !== "ok"),
    );
  return [...destinations, ...locks];
}

const littleRoom = 0.05;

function judgeRoom(check: string, path: string, space: SpaceFact | undefined): Finding[] {
  if (space === undefined) return [];
  const free = `${formatSize(space.freeBytes)} of ${formatSize(space.bytes)} free`;
  const noInodes = space.inodes > 0 && space.freeInodes === 0;
  if (space.freeBytes === 0 || noInodes) {
    return [
      problem(check, `${path}: the file system is full${noInodes ? " (no inodes left)" : ""}`, `df -h '${path}'`),
    ];
  }
  if (space.freeBytes < space.bytes * littleRoom) return [warning(check, `${path}: only ${free}`)];
  if (space.inodes > 0 && space.freeInodes < space.inodes * littleRoom) {
    return [warning(check, `${path}: only ${space.freeInodes} of ${space.inodes} inodes free`)];
  }
  if (!space.exists) return [ok(check, `${path}: not there yet; ${free}`)];
  return [ok(check, `${path}: ${free}`)];
}

function formatSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

import type { ContenderPlan } from "./contender.ts";
import type { HistoryJob } from "./history.ts";
import type { Lab } from "./lab.ts";

/** A contender, and the same for the checker. */
export interface Entry {
  readonly plan: ContenderPlan;
  readonly job: HistoryJob;
}

export type Way = "push" | "pull" | "local";

export interface EntrySpec {
  readonly name: string;
  readonly host: string;
  /** The host that is written; for `pull` and `local` that is its own. */
  readonly destination: string;
  readonly way: Way;
  readonly locks: readonly string[];
  readonly blocks?: readonly string[];
  /** Where the lock files are; the destination unless given. */
  readonly lockHost?: string;
  readonly seconds?: number;
  /** All that exclude each other write to the same directory. */
  readonly group: string;
}

export const hostNames = ["h1", "h2", "h3", "h4"] as const;

/** The host whose locks nobody uses for a destination elsewhere: it may be rebooted. */
export const rebootable = "h3";

/** A host of locks that nobody reaches but by its sshd: what that starts may have a clock of its own. */
export const clockHost = "h4";

/**
 * A mutex of pushes, a pull and a local copy; a pair and a triangle that list each other; a ring of three
 * with two lock files each; and a mutex whose lock is on another host than what it protects.
 */
export function everything(lab: Lab): Entry[] {
  const specs: EntrySpec[] = [
    { name: "push1", host: "h1", destination: "h3", way: "push", locks: ["mutex"], group: "mutex" },
    { name: "push2", host: "h2", destination: "h3", way: "push", locks: ["mutex"], group: "mutex" },
    { name: "pull", host: "h3", destination: "h3", way: "pull", locks: ["mutex"], group: "mutex" },
    { name: "local", host: "h3", destination: "h3", way: "local", locks: ["mutex"], group: "mutex" },
    ...listingEachOther("pair", ["h1", "h2"], "h4"),
    ...listingEachOther("trio", ["h1", "h2", "h4"], "h3"),
    ...ringOf(["h1", "h2", "h3"], "h4"),
    ...["h1", "h2"].map((host, index): EntrySpec => ({
      name: `apart${index + 1}`,
      host,
      destination: "h3",
      lockHost: "h4",
      way: "push",
      locks: ["apart"],
      group: "apart",
    })),
  ];
  return specs.map((spec) => entryOf(lab, spec));
}

export function listingEachOther(group: string, hosts: readonly string[], destination: string): EntrySpec[] {
  const names = hosts.map((_, index) => `${group}${index + 1}`);
  return hosts.map((host, index) => ({
    name: names[index] ?? "",
    host,
    destination,
    way: host === destination ? "local" : "push",
    locks: [names[index] ?? ""],
    blocks: names.filter((_, other) => other !== index),
    group,
  }));
}

export function ringOf(hosts: readonly string[], destination: string): EntrySpec[] {
  return hosts.map((host, index) => ({
    name: `ring${index + 1}`,
    host,
    destination,
    way: "push",
    locks: [`fork${index + 1}`, `fork${((index + 1) % hosts.length) + 1}`],
    group: `ring${index + 1}`,
  }));
}

export function entryOf(lab: Lab, spec: EntrySpec): Entry {
  const { name, host, destination, way, locks, blocks = [], lockHost = destination, seconds = 2, group } = spec;
  const at = (names: readonly string[]) => names.map((lock) => lab.host(lockHost).path("locks", lock));
  const here = lockHost === host;
  const lock = (path: string) => (here ? { type: "local", path } : { type: "remote", path, ...wayTo(lab, lockHost) });
  const other = way === "pull" ? "h1" : destination;
  const source = `${lab.root}/directors/${name}/source/`;
  const job = {
    ...(way === "local" ? { type: "local" } : { type: "remote", direction: way, ...wayTo(lab, other) }),
    allow_unsafe_opts: true,
    hold: "required",
    hold_dir: lab.host(destination).path("hold"),
    lock_files: at(locks).map(lock),
    ...(blocks.length === 0 ? {} : { blocks_on: at(blocks).map((path) => ({ ...lock(path), wait_time: 1 })) }),
    actions: [
      {
        action: "sync",
        id: "copy",
        source,
        dest: `${lab.host(destination).path("data", group)}/`,
        opts: ["-a", "-I", "-W", "--bwlimit=100"],
        ...(way === "push" ? { rsync: { rsync_path: `${lab.root}/witness/${name}/rsync` } } : {}),
      },
    ],
  };
  return {
    plan: { name, host, job, sourceBytes: seconds * 100_000, thinkMs: 3000 },
    job: { name, locks: at(locks), blocks: at(blocks), fenced: true },
  };
}

function wayTo(lab: Lab, name: string): Record<string, unknown> {
  const { sshd } = lab.host(name);
  return { user: sshd.user, host: sshd.host, port: sshd.port, private_ssh_key: sshd.identityFile };
}

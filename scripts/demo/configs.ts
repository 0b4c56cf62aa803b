import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Host, House } from "./house.ts";

/** KiB/s: slow enough to watch, fast enough not to bore. */
const rate = 1000;

export interface DirectorFiles {
  readonly laptop: string;
  readonly backup: string;
}

/**
 * What the administrators of the two hosts would write. laptop01 pushes its home to backup01, waits
 * for the lock of backup01's own director, and puts its lock there too; backup01 pushes what it has to
 * backup-remote and waits for laptop01's lock.
 */
export async function writeConfigs(house: House, ports: { laptop: number; backup: number }): Promise<DirectorFiles> {
  const { laptop, backup, remote } = house;
  const lockOf = (host: Host) => join(backup.disk, "locks", `${host.name}-is-syncing`);
  const files = { laptop: join(house.directory, "laptop01.yaml"), backup: join(house.directory, "backup01.yaml") };
  const laptopJob = {
    id: "home-to-backup01",
    ...target(backup),
    lock_files: [{ ...place(backup), path: lockOf(laptop) }],
    blocks_on: [{ ...place(backup), path: lockOf(backup), wait_time: 1, timeout: "2m" }],
    actions: [sync("home", laptop, backup)],
  };
  // backup01's director runs on backup01: for it both locks are local files.
  const backupJob = {
    id: "copies-to-backup-remote",
    ...target(remote),
    // Its lock lies on another host than the one that is written: there the writer holds a kernel lock in this directory.
    hold_dir: join(remote.disk, "locks"),
    lock_files: [{ type: "local", path: lockOf(backup) }],
    blocks_on: [{ type: "local", path: lockOf(laptop), wait_time: 1, timeout: "2m" }],
    actions: [sync("copies", backup, remote)],
  };
  await writeFile(files.laptop, stringify({ ...instance(laptop, ports.laptop, backup), jobs: [laptopJob] }));
  await writeFile(files.backup, stringify({ ...instance(backup, ports.backup, remote), jobs: [backupJob] }));
  return files;
}

function instance(host: Host, metricsPort: number, peer: Host): object {
  return {
    rsync_id: host.name,
    cron_schedule: "30 2 * * *",
    pid_file_dir: join(host.disk, "run"),
    state_dir: join(host.disk, "state"),
    metrics: { addr: "127.0.0.1", port: metricsPort },
    logging: [{ type: "stdout", level: "info", format: "json" }],
    ...(peer.sshd && { ssh: { known_hosts_file: peer.sshd.knownHostsFile } }),
  };
}

function target({ sshd }: Host): object {
  if (sshd === undefined) return { type: "local" };
  return { type: "remote", user: sshd.user, host: sshd.host, port: sshd.port, private_ssh_key: sshd.identityFile };
}

/** A lock on the job's host: it takes the job's host, user, port and key. */
function place({ sshd }: Host): object {
  return { type: sshd === undefined ? "local" : "remote" };
}

function sync(id: string, from: Host, to: Host): object {
  return {
    action: "sync",
    id,
    source: `${join(from.disk, "data")}/`,
    dest: join(to.disk, "data"),
    rsync: { archive: true, delete: true, bwlimit: rate, stats: true },
  };
}

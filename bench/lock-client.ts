import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { systemClock } from "../src/base/clock.ts";
import { Emitter } from "../src/base/emitter.ts";
import { silentLogger } from "../src/base/logger.ts";
import { loadConfig } from "../src/config/load.ts";
import { openLocks } from "../src/daemon/locking.ts";
import { describeOwner } from "../src/lock/lock-owner.ts";
import { createTransportPool } from "../src/lock/transport/transport-pool.ts";
import type { DirectorEvents } from "../src/model/events.ts";
import { runTool } from "../src/process/run-tool.ts";
import { startChild } from "../src/process/start-child.ts";
import { createConnectionPool } from "../src/ssh/connection-pool.ts";
import type { LockHost, Way } from "./lock-host.ts";

/** The locks of a director, made from a configuration file as the director makes them. */
export interface LockClient {
  /** Waits for the job's blocks, takes its locks and gives them back; resolves to the milliseconds that took. */
  cycle(jobId: string): Promise<number>;
  /** Takes the locks of the job, and resolves to what gives them back. */
  hold(jobId: string): Promise<() => Promise<void>>;
  /** Looks once at the blocks of a job that waits for none; resolves to the milliseconds until it knows that one is there. */
  look(jobId: string): Promise<number>;
  close(): Promise<void>;
}

/** By job: the names of its lock files and of its blocks, in the directory of the host. */
export type LockJobs = Readonly<
  Record<string, { readonly locks: readonly string[]; readonly blocks: readonly string[] }>
>;

export async function openLockClient(
  host: LockHost,
  way: Way,
  options: { readonly directory: string; readonly jobs: LockJobs },
): Promise<LockClient> {
  const { config } = await loadConfig(await writeLockConfig(host, way, options), { env: process.env });
  const [clock, log] = [systemClock, silentLogger];
  const owner = await describeOwner({ inst: "11111111-2222-3333-4444-555555555555", name: config.rsyncId });
  const connections = createConnectionPool({ runTool, startChild, clock, log });
  const transports = createTransportPool({
    ...{ runTool, connections, clock, log },
    localHost: hostname(),
    operationTimeoutMs: config.lockOperationTimeoutMs,
  });
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  const hurry = new AbortController().signal;
  const locks = await openLocks({
    ...{ config, owner, transports, events, clock, log, hurry },
    env: process.env,
    dryRun: false,
  });
  const jobs = new Map(config.jobs.map((job) => [job.id, job]));
  let runs = 0;
  const claim = (jobId: string) => {
    const job = jobs.get(jobId);
    if (job === undefined) throw new Error(`the bench has no job ${jobId}`);
    runs += 1;
    return locks.claim({ job, runId: String(runs), signal: new AbortController().signal });
  };
  const hold = async (jobId: string) => {
    const claimed = await claim(jobId);
    if (claimed.kind !== "held") throw new Error(`a lock of the bench was not taken: ${JSON.stringify(claimed)}`);
    return async () => {
      const troubles = await claimed.held.release({ survivors: [], atTargets: [] });
      if (troubles.length > 0) throw new Error(troubles.join("; "));
    };
  };
  return {
    hold,
    cycle: async (jobId) => {
      const startedAt = performance.now();
      const release = await hold(jobId);
      await release();
      return performance.now() - startedAt;
    },
    look: async (jobId) => {
      const startedAt = performance.now();
      const claimed = await claim(jobId);
      if (claimed.kind !== "timeout") throw new Error(`a lock of the bench was not there: ${JSON.stringify(claimed)}`);
      return performance.now() - startedAt;
    },
    close: async () => {
      await locks.close();
      await connections.close();
    },
  };
}

async function writeLockConfig(
  host: LockHost,
  way: Way,
  { directory, jobs }: { directory: string; jobs: LockJobs },
): Promise<string> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, "locks.yaml");
  const lock = (name: string) => ({ type: "remote", path: join(host.directory, name) });
  const config = {
    rsync_id: "bench",
    state_dir: join(directory, "state"),
    ssh: { known_hosts_file: host.knownHostsFile },
    jobs: Object.entries(jobs).map(([id, { locks, blocks }]) => ({
      ...{ id, type: "remote", host: host.sshd.host, port: way.port, user: host.sshd.user },
      ...{ private_ssh_key: host.sshd.identityFile },
      lock_files: locks.map(lock),
      blocks_on: blocks.map((name) => ({ ...lock(name), timeout: 0 })),
      actions: [{ action: "command", id: "nothing", command: "/bin/true" }],
    })),
  };
  await writeFile(path, stringify(config));
  return path;
}

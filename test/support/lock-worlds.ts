import { execa } from "execa";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { createLocalTransport } from "../../src/lock/local-transport.ts";
import type { LockTransport } from "../../src/lock/lock-transport.ts";
import { createSshTransport } from "../../src/lock/ssh-transport.ts";
import { createConnectionPool, type ConnectionPool } from "../../src/ssh/connection-pool.ts";
import type { LockWorld } from "../contract/lock-transport.contract.ts";
import { FakeClock } from "./fake-clock.ts";
import { createMemoryTransport, MemoryLockHost } from "./memory-lock-transport.ts";
import { runTool } from "../../src/process/run-tool.ts";

export function openMemoryWorld(): Promise<LockWorld> {
  const clock = new FakeClock();
  const host = new MemoryLockHost("memory", clock);
  return Promise.resolve({
    path: (name) => `/locks/${name}`,
    newTransport: () => Promise.resolve(createMemoryTransport(host, clock)),
    plant: (path, what) => {
      if (typeof what === "string") host.files.set(path, what);
      else host.write(path, what.content);
      return Promise.resolve();
    },
    read: (path) => {
      const entry = host.files.get(path);
      return Promise.resolve(typeof entry === "object" ? entry.content : undefined);
    },
    close: () => Promise.resolve(),
  });
}

/** A directory on this machine, reached as `newTransport` says. */
export async function openDiskWorld(
  newTransport: () => LockTransport,
  options: { close?: () => Promise<void>; below?: string } = {},
): Promise<LockWorld> {
  const directory = await mkdtemp(join(options.below ?? tmpdir(), "rsyncdirector locks-"));
  return {
    path: (name) => join(directory, name),
    newTransport: () => Promise.resolve(newTransport()),
    plant: async (path, what) => {
      if (what === "symlink") await symlink(join(directory, "elsewhere"), path);
      else if (what === "directory") await mkdir(path);
      else if (what === "fifo") await execa("mkfifo", [path]);
      else await writeFile(path, what.content);
    },
    read: (path) => readFile(path, "utf8").catch(() => undefined),
    close: async () => {
      await options.close?.();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function openLocalWorld(): Promise<LockWorld> {
  return openDiskWorld(() => createLocalTransport({ runTool, operationTimeoutMs: 20_000 }));
}

/** Each transport has connections of its own. */
export function openSshWorld(endpoint: SshEndpoint, operationTimeoutMs = 20_000): Promise<LockWorld> {
  const pools: ConnectionPool[] = [];
  const newTransport = () => {
    const pool = createConnectionPool({ runTool, clock: systemClock, log: silentLogger });
    pools.push(pool);
    return createSshTransport({ endpoint, pool, operationTimeoutMs, clock: systemClock, log: silentLogger });
  };
  return openDiskWorld(newTransport, {
    close: async () => void (await Promise.all(pools.map((pool) => pool.close()))),
  });
}

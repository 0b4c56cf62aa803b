import { execa } from "execa";
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { SshEndpoint } from "../../src/config/resolved.ts";
import { gateLine } from "../../src/deploy/gate-line.ts";
import { parsePublicKey } from "../../src/deploy/public-key.ts";
import { createLocalTransport } from "../../src/lock/transport/local-transport.ts";
import { readLockScript } from "../../src/lock/transport/lock-script.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { createRemoteTransport, type RemoteTransportDeps } from "../../src/lock/transport/remote-transport.ts";
import { createSftpTransport } from "../../src/lock/transport/sftp-transport.ts";
import { createSshTransport } from "../../src/lock/transport/ssh-transport.ts";
import { createConnectionPool, type ConnectionPool } from "../../src/ssh/connection-pool.ts";
import type { LockWorld } from "../contract/lock-transport.contract.ts";
import { FakeClock } from "./fake-clock.ts";
import { lockFile } from "./lock-flock.ts";
import { wanting } from "./lock-shell.ts";
import { MemoryLockHost } from "./memory-lock-host.ts";
import { createMemoryTransport } from "./memory-lock-transport.ts";
import { projectRoot } from "./project-files.ts";
import { endpointOf } from "./ssh-endpoint.ts";
import type { TestSshd } from "./sshd.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";

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
    makeOlder: (path, seconds) => {
      const entry = host.files.get(path);
      if (typeof entry === "object") host.files.set(path, { ...entry, mtime: entry.mtime - seconds });
      return Promise.resolve();
    },
    lock: (path) => {
      host.writers.add(path);
      return Promise.resolve(() => Promise.resolve(void host.writers.delete(path)));
    },
    list: () => Promise.resolve([...host.files.keys()].map((path) => basename(path))),
    close: () => Promise.resolve(),
  });
}

/** A directory on this machine, reached as `newTransport` says. */
export async function openDiskWorld(
  newTransport: () => LockTransport,
  options: { close?: () => Promise<void>; below?: string; prefix?: string } = {},
): Promise<LockWorld> {
  const directory = await mkdtemp(join(options.below ?? tmpdir(), options.prefix ?? "rsyncdirector locks-"));
  return {
    path: (name) => join(directory, name),
    newTransport: () => Promise.resolve(newTransport()),
    plant: async (path, what) => {
      if (what === "symlink") await symlink(join(directory, "elsewhere"), path);
      else if (what === "directory") await mkdir(path);
      else if (what === "fifo") await execa("mkfifo", [path]);
      else await writeFile(path, what.content);
    },
    // A FIFO would keep the reader waiting for ever.
    read: async (path) => {
      const isFile = (await lstat(path).catch(() => undefined))?.isFile() === true;
      return isFile ? readFile(path, "utf8").catch(() => undefined) : undefined;
    },
    makeOlder: async (path, seconds) => {
      const then = (await stat(path)).mtimeMs / 1000 - seconds;
      await utimes(path, then, then);
    },
    lock: async (path) => {
      const file = await lockFile(path);
      return () => file.letGo();
    },
    list: () => readdir(directory),
    close: async () => {
      await options.close?.();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function openLocalWorld(): Promise<LockWorld> {
  return openDiskWorld(() => createLocalTransport({ runTool, operationTimeoutMs: 20_000 }));
}

/** Those that a test has in its hands; else they are the system's. */
interface WorldClocks {
  readonly operations?: Clock;
  readonly connections?: Clock;
}

/** Each transport has connections of its own. */
function openRemoteWorld(
  create: (deps: RemoteTransportDeps) => LockTransport,
  endpoint: SshEndpoint,
  operationTimeoutMs: number,
  { operations = systemClock, connections = systemClock, ...options }: { prefix?: string } & WorldClocks = {},
): Promise<LockWorld> {
  const pools: ConnectionPool[] = [];
  const newTransport = () => {
    const pool = createConnectionPool({ runTool, startChild, clock: connections, log: silentLogger });
    pools.push(pool);
    return create({ endpoint, pool, operationTimeoutMs, clock: operations, log: silentLogger });
  };
  return openDiskWorld(newTransport, {
    ...options,
    close: async () => void (await Promise.all(pools.map((pool) => pool.close()))),
  });
}

export function openSshWorld(
  endpoint: SshEndpoint,
  operationTimeoutMs = 20_000,
  clocks: WorldClocks = {},
): Promise<LockWorld> {
  return openRemoteWorld(createSshTransport, endpoint, operationTimeoutMs, clocks);
}

/** Its helper is there from the first operation on; `alter` changes the script of each shell. */
export function openHelperWorld(
  endpoint: SshEndpoint,
  { alter = (script) => script, onNoShell }: { alter?: (script: string) => string; onNoShell?: () => void } = {},
): Promise<LockWorld> {
  const readScript = async () => `${alter(await readLockScript())}\n${wanting("at once")}`;
  const more = { readScript, ...(onNoShell && { onNoShell }) };
  return openRemoteWorld((deps) => createSshTransport({ ...deps, ...more }), endpoint, 20_000);
}

export function openSftpWorld(
  endpoint: SshEndpoint,
  operationTimeoutMs = 20_000,
  clocks: WorldClocks = {},
): Promise<LockWorld> {
  return openRemoteWorld(createSftpTransport, endpoint, operationTimeoutMs, clocks);
}

/** By a shell or over sftp, as the account allows. */
export function openAnyWorld(endpoint: SshEndpoint, operationTimeoutMs = 20_000): Promise<LockWorld> {
  return openRemoteWorld(createRemoteTransport, endpoint, operationTimeoutMs);
}

/** With a key that may do nothing but this; the gate takes no directory with a blank. */
export async function openGateWorld(sshd: TestSshd): Promise<LockWorld> {
  const prefix = "rsyncdirector-locks-";
  const world = await openRemoteWorld(createSshTransport, endpointOf(sshd), 20_000, { prefix });
  const keyFile = `${sshd.identityFile}.pub`;
  const key = parsePublicKey((await readFile(keyFile, "utf8")).replace(/^.*(?=ssh-ed25519)/, ""));
  const rights = { readOnly: [], write: [], locks: [dirname(world.path("any"))], deletes: false, plainLinks: false };
  await writeFile(keyFile, `${gateLine(key, rights, join(projectRoot, "resources", "gate.sh"))}\n`);
  return world;
}

import { once } from "node:events";
import { link, lstat, mkdir, readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { describeError, OperatorError, systemErrorCode } from "../base/errors.ts";

/** This process is the only one of its instance until it releases the pid file or dies. */
export interface PidFile {
  readonly path: string;
  release(): Promise<void>;
}

/**
 * Writes the pid file, or throws an `OperatorError` when a live process holds the instance.
 *
 * The file is for people and for tools of the original; it cannot be taken over safely when its owner
 * was killed, because looking and replacing are two steps. So the name is guarded by a socket in the
 * kernel's abstract namespace first, which exists once and goes with the process.
 */
export async function claimPidFile(path: string, pid: number): Promise<PidFile> {
  const canonical = await preparePath(path);
  const releaseName = await reserveName(canonical);
  try {
    await removeStale(canonical, pid);
    await writeExclusively(canonical, pid);
  } catch (error) {
    releaseName();
    throw error;
  }
  return {
    path: canonical,
    release: async () => {
      if ((await readPid(canonical)) === pid) await rm(canonical, { force: true });
      releaseName();
    },
  };
}

/** The same directory by two names must give the same guard, hence the real path. */
async function preparePath(path: string): Promise<string> {
  const directory = dirname(path);
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const canonical = join(await realpath(directory), basename(path));
    const found = await lstat(canonical).catch(() => undefined);
    if (found !== undefined && !found.isFile())
      throw new OperatorError(`${path}: the pid file is not a regular file; remove it`);
    return canonical;
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    throw new OperatorError(`pid_file_dir: ${directory} cannot be used: ${describeError(error)}`, {
      kind: "usage",
      cause: error,
    });
  }
}

/** The name in the kernel's abstract namespace that guards a pid file, given by its canonical path. */
export function guardOf(path: string): string {
  return `\0rsyncdirector:${path}`;
}

async function reserveName(path: string): Promise<() => void> {
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(guardOf(path));
    await once(server, "listening");
  } catch (error) {
    if (systemErrorCode(error) !== "EADDRINUSE") throw error;
    throw alreadyRunning(path, await readPid(path));
  }
  server.unref();
  return () => void server.close();
}

async function removeStale(path: string, pid: number): Promise<void> {
  const holder = await readPid(path);
  // Pids are used again; a stranger that got it by chance must not stop all backups.
  if (holder !== undefined && holder !== pid && (await mayHoldIt(holder))) throw alreadyRunning(path, holder);
  await rm(path, { force: true });
}

async function writeExclusively(path: string, pid: number): Promise<void> {
  const temporary = `${path}.${pid}.tmp`;
  try {
    await writeFile(temporary, `${pid}\n`, { mode: 0o644 });
    await link(temporary, path);
  } catch (error) {
    throw new OperatorError(`the pid file ${path} cannot be written: ${describeError(error)}`, { cause: error });
  } finally {
    await rm(temporary, { force: true });
  }
}

export async function readPid(path: string): Promise<number | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  return pid > 0 ? pid : undefined;
}

/**
 * Whether the process is a director that may hold this pid file: the Python original, or one of ours
 * that cannot be seen through the guard because it lives in another network namespace.
 */
export async function mayHoldIt(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const [program = "", ...args] = commandLine.split("\0").map((word) => basename(word));
  const isDirector = [program, ...args.slice(0, 2)].includes("rsyncdirector") || /\/dist\/main\.js\0/.test(commandLine);
  if (!isDirector) return false;
  return program.startsWith("python") || (await networkOf(pid)) !== (await networkOf("self"));
}

function networkOf(process: number | "self"): Promise<string> {
  return readlink(`/proc/${process}/ns/net`).catch(() => "");
}

function alreadyRunning(path: string, pid: number | undefined): OperatorError {
  const who = pid === undefined ? "another process" : `process ${pid}`;
  const hint = pid === undefined ? "" : `; to run its jobs now: kill -HUP ${pid}`;
  return new OperatorError(`this instance is already running: ${who} holds ${path}${hint}`);
}

import { chmodSync, linkSync, lstatSync, mkdtempSync, rmSync, type Stats } from "node:fs";
import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { describeError, OperatorError, systemErrorCode } from "../base/errors.ts";

/** What fits into the kernel's `sockaddr_un`, without the zero at its end. */
const longestPath = 107;
/** So long a director may take to accept a connection before nobody can say whether there is one. */
const answerLimitMs = 5_000;

/**
 * Lets a server listen on a socket that its owner alone can open. It is made in a directory of its own, so that there
 * is no moment in which others could, and then linked to its name. One that a crash left is replaced; one that
 * somebody answers on never is. Returns what takes it away again. Throws an `OperatorError`.
 */
export async function listenOnSocket(server: Server, path: string): Promise<() => void> {
  if (Buffer.byteLength(path) > longestPath) {
    const problem = `the control socket ${path} has a name of more than ${longestPath} bytes, which the kernel does not take`;
    throw new OperatorError(`pid_file_dir: ${problem}: choose a shorter directory`, { kind: "usage" });
  }
  await removeLeftover(path);
  const own = await listenAside(server, path);
  // Until the server is closed the kernel keeps the inode, so that nobody else's can have its number.
  return () => {
    const found = statusOf(path);
    if (found !== undefined && isSame(found, own)) rmSync(path, { force: true });
  };
}

async function listenAside(server: Server, path: string): Promise<Stats> {
  let directory: string | undefined;
  try {
    // Shorter than the name it gets: it fits where that does.
    directory = mkdtempSync(join(dirname(path), ".rd"));
    const aside = join(directory, "s");
    server.listen(aside);
    await once(server, "listening");
    chmodSync(aside, 0o600);
    linkSync(aside, path);
    return lstatSync(path);
  } catch (error) {
    server.close();
    throw new OperatorError(`the control socket ${path} cannot be made: ${describeError(error)}`, { cause: error });
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

/** The guard of the pid file has ruled out another director; what else may answer there is not ours to remove. */
async function removeLeftover(path: string): Promise<void> {
  const found = statusOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new OperatorError(`${path} is in the way of the control socket: remove it`);
  const answer = await knock(path);
  if (answer === "answered") throw new OperatorError(`another process answers on ${path}: end it first`);
  if (answer !== "refused") throw new OperatorError(`${path}: nobody can say whether it is in use (${answer})`);
  const now = statusOf(path);
  // Inodes are given out again; the time of the last change tells a new one from the old.
  if (now !== undefined && isSame(now, found) && now.ctimeMs === found.ctimeMs) rmSync(path, { force: true });
}

/** `refused` is the kernel's word that nobody listens; anything else that fails says nothing. */
function knock(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ path, timeout: answerLimitMs });
    const done = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("connect", () => done("answered"));
    socket.on("timeout", () => done("it does not answer"));
    socket.on("error", (error) => {
      const code = systemErrorCode(error);
      done(code === "ECONNREFUSED" || code === "ENOENT" ? "refused" : describeError(error));
    });
  });
}

function statusOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

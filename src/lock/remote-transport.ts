import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import type { ConnectionPool } from "../ssh/connection-pool.ts";
import type { LockTransport } from "./lock-transport.ts";
import { createSftpTransport } from "./sftp-transport.ts";
import { createSshTransport } from "./ssh-transport.ts";

export interface RemoteTransportDeps {
  readonly endpoint: SshEndpoint;
  readonly pool: ConnectionPool;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What an account allows may be changed by its administrator: a day later the shell is tried again. */
const retryShellMs = 86_400_000;

/**
 * Locks on another host, by a shell where there is one and over sftp where there is none, or where the host
 * has no flock(1). Every operation may be repeated on the other way: claims and releases go by token.
 */
export function createRemoteTransport(deps: RemoteTransportDeps): LockTransport {
  const { endpoint, clock, log } = deps;
  /** Since when, and why, there is no shell; undefined: there is one, or nobody has tried yet. */
  let shellless: { since: number; detail: string } | undefined;
  const onNoShell = (detail: string) => {
    if (shellless?.detail !== detail)
      log.info({ host: endpoint.host, detail }, "no shell for lock files, sftp is used");
    shellless = { since: clock.monotonic(), detail };
  };
  const shell = createSshTransport({ ...deps, onNoShell });
  const sftp = createSftpTransport({ ...deps, whyNoShell: () => shellless?.detail });

  const operate = async <T>(operation: (transport: LockTransport) => Promise<T>): Promise<T> => {
    if (shellless !== undefined && clock.monotonic() - shellless.since < retryShellMs) return operation(sftp);
    shellless = undefined;
    const answer = await operation(shell);
    return shellless === undefined ? answer : operation(sftp);
  };

  return {
    host: endpoint.host,
    acquire: (request, signal) => operate((transport) => transport.acquire(request, signal)),
    check: (paths, signal) => operate((transport) => transport.check(paths, signal)),
    release: (locks, signal) => operate((transport) => transport.release(locks, signal)),
    beat: (locks, signal) => operate((transport) => transport.beat(locks, signal)),
    promote: (claims, signal) => operate((transport) => transport.promote(claims, signal)),
    break: (lock, signal) => operate((transport) => transport.break(lock, signal)),
    breakForeign: (lock, signal) => operate((transport) => transport.breakForeign(lock, signal)),
    fingerprint: (path, signal) => operate((transport) => transport.fingerprint(path, signal)),
    holds: (paths, signal) => operate((transport) => transport.holds(paths, signal)),
    probe: async (directories, signal) => {
      const answers = await operate((transport) => transport.probe(directories, signal));
      const lacksFlock = answers.some((answer) => answer.kind === "probed" && answer.flock === false);
      if (!lacksFlock || signal.aborted) return answers;
      const overSftp = await sftp.probe(directories, signal);
      if (!overSftp.every((answer) => answer.kind === "probed")) return answers;
      onNoShell("the host has no working flock(1)");
      return overSftp;
    },
  };
}

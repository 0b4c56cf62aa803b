import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import type { LockLimit } from "../../model/status.ts";
import type { ConnectionPool } from "../../ssh/connection-pool.ts";
import type { LockTransport } from "./lock-transport.ts";
import { hasNoFlock } from "./probe.ts";
import { createSftpTransport } from "./sftp-transport.ts";
import { createSshTransport } from "./ssh-transport.ts";

/** What an account does not allow to the locks on its host. */
export type TransportLimit = Omit<LockLimit, "host">;

export interface RemoteTransportDeps {
  readonly endpoint: SshEndpoint;
  readonly pool: ConnectionPool;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when it was found out anew; undefined: there is a shell that can lock. */
  readonly onLimit?: (limit: TransportLimit | undefined) => void;
}

/** What an account allows may be changed by its administrator: a day later the shell is tried again. */
const retryShellMs = 86_400_000;

/**
 * Locks on another host, by a shell where there is one and over sftp where there is none, or where the host
 * has no flock(1). Every operation but a claim may be repeated on the other way: a claim is asked for once per
 * token, when it is known which way is the right one.
 */
export function createRemoteTransport(deps: RemoteTransportDeps): LockTransport {
  const { endpoint, clock, log } = deps;
  /**
   * Since when, and why, there is no shell that can lock; undefined: there is one, or nobody has tried yet. One that
   * lacks flock answers all the same, and only a probe tells whether it has it by now.
   */
  let shellless: { since: number; detail: string; lacksFlock: boolean } | undefined;
  /** Why there is no sftp either. */
  let sftpless: string | undefined;
  let isLimited = false;
  const tellLimit = () => {
    isLimited = shellless !== undefined;
    if (shellless === undefined) deps.onLimit?.(undefined);
    else if (sftpless === undefined) deps.onLimit?.({ mode: "sftp", detail: shellless.detail });
    else deps.onLimit?.({ mode: "refused", detail: sftpless });
  };
  const onNoShell = (detail: string, lacksFlock = false) => {
    if (shellless?.detail !== detail)
      log.info({ host: endpoint.host, detail }, "no shell for lock files, sftp is used");
    shellless = { since: clock.monotonic(), detail, lacksFlock };
    tellLimit();
  };
  let answeredAt = -Infinity;
  const shell = createSshTransport({
    ...deps,
    onAnswered: () => {
      answeredAt = clock.monotonic();
      // That nobody answers, when a day later the shell is tried again, proves nothing.
      if (isLimited && shellless === undefined) tellLimit();
    },
    // A host that is out of processes or memory ends its shells too. What was locked by a shell has a lease and a hold
    // lock, of which sftp knows nothing: that the account has changed is believed once it gave no answer for a day.
    onNoShell: (detail) => void (clock.monotonic() - answeredAt >= retryShellMs && onNoShell(detail)),
  });
  const onSession = (refusal: string | undefined) => {
    sftpless = refusal;
    tellLimit();
  };
  const sftp = createSftpTransport({ ...deps, whyNoShell: () => shellless?.detail, onSession });

  const isOld = () => shellless !== undefined && clock.monotonic() - shellless.since >= retryShellMs;
  const isShellless = () => shellless !== undefined && (shellless.lacksFlock || !isOld());
  /** Something has been answered, one way or the other. */
  let proven = false;
  const operate = async <T>(operation: (transport: LockTransport) => Promise<T>): Promise<T> => {
    if (isShellless()) return operation(sftp);
    shellless = undefined;
    const answer = await operation(shell);
    return shellless === undefined ? answer : operation(sftp);
  };
  const check: LockTransport["check"] = async (paths, signal) => {
    const answers = await operate((transport) => transport.check(paths, signal));
    proven ||= answers.some(({ kind }) => kind === "absent" || kind === "held");
    return answers;
  };
  const probe: LockTransport["probe"] = async (directories, signal) => {
    const known = shellless;
    if (known?.lacksFlock !== true || !isOld()) {
      return operate((transport) => transport.probe(directories, signal));
    }
    const answers = await shell.probe(directories, signal);
    // By now there is not even a shell.
    if (shellless !== known) return sftp.probe(directories, signal);
    if (answers.some((answer) => answer.kind === "probed" && answer.flock === true)) {
      shellless = undefined;
      tellLimit();
    }
    return answers;
  };
  const acquire: LockTransport["acquire"] = async (request, signal) => {
    if (!proven && !isShellless())
      await check(
        request.claims.slice(0, 1).map(({ path }) => path),
        signal,
      );
    return (isShellless() ? sftp : shell).acquire(request, signal);
  };

  return {
    host: endpoint.host,
    acquire,
    check,
    release: (locks, signal) => operate((transport) => transport.release(locks, signal)),
    beat: (locks, signal) => operate((transport) => transport.beat(locks, signal)),
    promote: (claims, signal) => operate((transport) => transport.promote(claims, signal)),
    break: (lock, signal) => operate((transport) => transport.break(lock, signal)),
    breakForeign: (lock, signal) => operate((transport) => transport.breakForeign(lock, signal)),
    fingerprint: (path, signal) => operate((transport) => transport.fingerprint(path, signal)),
    holds: (paths, signal) => operate((transport) => transport.holds(paths, signal)),
    fence: (dead, signal) => operate((transport) => transport.fence(dead, signal)),
    probe: async (directories, signal) => {
      const answers = await probe(directories, signal);
      proven ||= answers.some(({ kind }) => kind === "probed");
      if (!answers.some(hasNoFlock) || signal.aborted) return answers;
      const overSftp = await sftp.probe(directories, signal);
      if (!overSftp.every((answer) => answer.kind === "probed")) return answers;
      onNoShell("the host has no working flock(1)", true);
      return overSftp;
    },
  };
}

import { randomBytes } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import type { Connection } from "../../ssh/connection.ts";
import type { ConnectionPool } from "../../ssh/connection-pool.ts";
import { NoSftp, type SftpSession } from "../../ssh/sftp-session.ts";
import type { Refused, Unknown } from "./lock-transport.ts";
import { createSftpFiles } from "./sftp-files.ts";
import type { SftpScope } from "./sftp-operations.ts";

export interface SftpQueueDeps {
  readonly endpoint: SshEndpoint;
  readonly pool: ConnectionPool;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
  /** Why there is no shell either, for the message about an account that has neither. */
  readonly whyNoShell?: () => string | undefined;
  /** Told when a session was asked for; `refusal`: the account allows none. */
  readonly onSession?: (refusal: string | undefined) => void;
}

export interface TrackedScope extends SftpScope {
  /** Whether the operation has come so far that it may have changed a lock. */
  changing: boolean;
}

/** Does `work` when its turn comes; `failed` makes the answer when it was never begun. */
export type EnterSftp = <T>(
  signal: AbortSignal,
  work: (scope: TrackedScope) => Promise<T>,
  failed: (failure: Unknown | Refused) => T,
) => Promise<T>;

/** One operation after the other, in the order of the calls, on one session per connection. */
export function createSftpQueue(deps: SftpQueueDeps): EnterSftp {
  const { endpoint, pool, operationTimeoutMs, clock } = deps;
  const sessions = createSessionKeeper(deps);
  let turn: Promise<unknown> = Promise.resolve();

  const perform = async <T>(
    connection: Connection,
    { signal, onBegin, work }: { signal: AbortSignal; onBegin: () => void; work: (scope: TrackedScope) => Promise<T> },
  ): Promise<{ kind: "done"; value: T } | Unknown | Refused> => {
    const opened = await sessions.open(connection);
    if ("kind" in opened) return opened;
    // From here to the first request nothing is awaited: what the signal stopped is never sent.
    if (signal.aborted) return notSent("stopped before it was sent");
    onBegin();
    const giveUp = () => sessions.forget(connection, "no answer in time");
    const cancelTimer = clock.setTimer(operationTimeoutMs, giveUp);
    try {
      return { kind: "done", value: await work(opened.scope) };
    } finally {
      cancelTimer();
      // The other side may be stuck rather than gone: only a new connection can be trusted again.
      if (opened.session.closed) sessions.forget(connection, "the sftp session broke off");
    }
  };

  return (signal, work, failed) =>
    new Promise((resolve, reject) => {
      let begun = false;
      const onAbort = () => {
        if (!begun) resolve(failed(notSent("stopped before it was sent")));
      };
      signal.addEventListener("abort", onAbort);
      if (signal.aborted) onAbort();
      const before = turn;
      const take = async () => {
        await before;
        if (signal.aborted) return failed(notSent("stopped before it was sent"));
        const onBegin = () => void (begun = true);
        const used = await pool.use(endpoint, (connection) => perform(connection, { signal, onBegin, work }));
        if (used.kind === "refused") return failed({ kind: "error", detail: used.message });
        if (used.kind === "unreachable") return failed(notSent(used.message));
        return used.value.kind === "done" ? used.value.value : failed(used.value);
      };
      const mine = take();
      turn = mine.catch(() => undefined);
      mine.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
}

interface OpenSession {
  readonly session: SftpSession;
  readonly scope: TrackedScope;
}

function createSessionKeeper({ operationTimeoutMs, clock, whyNoShell, onSession }: SftpQueueDeps) {
  let current: { connection: Connection; opening: Promise<OpenSession> } | undefined;

  const forget = (connection: Connection, cause: string) => {
    if (current?.connection === connection) current = undefined;
    connection.destroy(cause);
  };
  const begin = async (connection: Connection): Promise<OpenSession> => {
    const session = await connection.openSftp(operationTimeoutMs);
    onSession?.(undefined);
    return { session, scope: createScope(session, clock) };
  };
  return {
    forget,
    /** The session, or why there is none. */
    open: async (connection: Connection): Promise<OpenSession | Unknown | Refused> => {
      if (current?.connection !== connection) current = { connection, opening: begin(connection) };
      try {
        const opened = await current.opening;
        if (!opened.session.closed) return opened;
        forget(connection, "the sftp session was closed");
        return notSent("the connection was lost before it was sent");
      } catch (error) {
        forget(connection, "no sftp");
        const why = describeError(error);
        if (!(error instanceof NoSftp)) return notSent(`no sftp on ${connection.name}: ${why}`);
        const noShell = whyNoShell?.();
        const both = noShell === undefined ? why : `${why}; and no shell: ${noShell}`;
        const detail = `no sftp on ${connection.name}: ${both}`;
        onSession?.(detail);
        return { kind: "error", detail };
      }
    },
  };
}

function createScope(session: SftpSession, clock: Clock): TrackedScope {
  const files = createSftpFiles(session);
  /** Seconds that the server's clock is ahead of the time since our boot. */
  let offset: number | undefined;
  const sawServerTime = (seconds: number) => void (offset = seconds - clock.monotonic() / 1000);
  const scope: TrackedScope = {
    files,
    changing: false,
    aboutToChange: () => void (scope.changing = true),
    sawServerTime,
    serverNow: async (beside) => {
      if (offset === undefined) {
        const probe = `${beside}.probe.${randomBytes(8).toString("hex")}`;
        const made = await files.create(probe, "");
        if (made.made) await files.unlink(probe);
        // Tried once per session: where nothing may be written, nothing may be written later either.
        if (made.kind === "ok") sawServerTime(made.value.mtime);
        else offset = Number.NaN;
      }
      return Math.round((offset ?? Number.NaN) + clock.monotonic() / 1000);
    },
  };
  return scope;
}

function notSent(detail: string): Unknown {
  return { kind: "unknown", detail, mayHaveRun: false };
}

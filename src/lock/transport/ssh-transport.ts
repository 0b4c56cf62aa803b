import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import type { Connection } from "../../ssh/connection.ts";
import type { ConnectionPool } from "../../ssh/connection-pool.ts";
import { createRemoteShell, type RemoteShell } from "../../ssh/remote-shell.ts";
import { NoShell } from "../../ssh/shell-channel.ts";
import { helperCommand, readLockScript } from "./lock-script.ts";
import type { LockTransport, Unknown } from "./lock-transport.ts";
import { createScriptTransport, type ScriptResult } from "./script-transport.ts";

export interface SshTransportDeps {
  readonly endpoint: SshEndpoint;
  readonly pool: ConnectionPool;
  readonly operationTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Replaced in tests. */
  readonly readScript?: typeof readLockScript;
  /** Told, before the answer, that the account has something else than a shell: the answer is worth nothing. */
  readonly onNoShell?: (detail: string) => void;
  /** Told, before the answer, that the shell has carried something out. */
  readonly onAnswered?: () => void;
}

/** One operation on its way to the shell. */
interface Trip {
  readonly signal: AbortSignal;
  /** Resolves when the operation before this one was sent or given up. */
  readonly before: Promise<void>;
  sent: boolean;
  letNext: () => void;
}

/** Locks on another host: one shell kept open over a shared connection, one round trip per operation. */
export function createSshTransport(deps: SshTransportDeps): LockTransport {
  const { endpoint, pool } = deps;
  const shells = createShellKeeper(deps);

  let lastTrip: Promise<void> = Promise.resolve();

  const send = async (connection: Connection, command: string, trip: Trip) => {
    const shell = await shells.shellOn(connection);
    // Whoever called first is sent first, also while the connection is only being made.
    await trip.before;
    if (typeof shell === "string") return notSent(shell);
    // From here to the write nothing is awaited: what the signal stopped is never sent.
    if (trip.signal.aborted) return notSent("stopped before it was sent");
    if (shell.broken) return notSent("the connection was lost before it was sent");
    trip.sent = true;
    const answering = shell.run(command);
    trip.letNext();
    const answer = await answering;
    if (answer.kind === "answered") {
      deps.onAnswered?.();
      return answer;
    }
    return { kind: "unknown", detail: answer.detail, mayHaveRun: true } as const;
  };
  const run = async (command: string, trip: Trip): Promise<ScriptResult> => {
    const used = await pool.use(endpoint, (connection) => send(connection, command, trip)).finally(trip.letNext);
    if (used.kind === "done") return used.value;
    return used.kind === "refused" ? { kind: "error", detail: used.message } : notSent(used.message);
  };

  return createScriptTransport({
    host: endpoint.host,
    run: (command, signal) =>
      new Promise((resolve, reject) => {
        const trip: Trip = { signal, before: lastTrip, sent: false, letNext: () => undefined };
        lastTrip = new Promise((done) => (trip.letNext = done));
        const onAbort = () => {
          if (!trip.sent) resolve(notSent("stopped before it was sent"));
        };
        signal.addEventListener("abort", onAbort);
        if (signal.aborted) onAbort();
        run(command, trip)
          .then(resolve, reject)
          .finally(() => signal.removeEventListener("abort", onAbort));
      }),
  });
}

/** One lock shell per connection, made anew when the connection is. */
function createShellKeeper(deps: SshTransportDeps) {
  const { operationTimeoutMs, clock, readScript = readLockScript } = deps;
  const log = deps.log.child({ host: deps.endpoint.host });
  let current: { connection: Connection; shell: Promise<RemoteShell> } | undefined;

  const forget = (connection: Connection, cause: string) => {
    if (current?.connection === connection) current = undefined;
    // The other side may be stuck rather than gone: only a new connection can be trusted again.
    connection.destroy(cause);
  };
  /** The connection would be sound, but its one session may be all that the server allows at a time. */
  const lackShell = (connection: Connection, detail: string) => {
    deps.onNoShell?.(detail);
    forget(connection, "there is no shell");
  };
  const open = async (connection: Connection): Promise<RemoteShell> => {
    const prologue = `${await readScript()}\n${helperCommand}\n`;
    const channel = await connection.openShell(operationTimeoutMs);
    const onBroken = (cause: string, how: "unknown" | "no-shell") => {
      if (how === "unknown") forget(connection, cause);
      else lackShell(connection, cause);
    };
    return createRemoteShell({ channel, prologue, operationTimeoutMs, clock, log, onBroken });
  };
  return {
    /** The shell, or why there is none. */
    shellOn: async (connection: Connection): Promise<RemoteShell | string> => {
      if (current?.connection !== connection) current = { connection, shell: open(connection) };
      try {
        return await current.shell;
      } catch (error) {
        if (error instanceof NoShell) lackShell(connection, error.message);
        else forget(connection, "no shell");
        return `no shell on ${connection.name}: ${describeError(error)}`;
      }
    },
  };
}

function notSent(detail: string): Unknown {
  return { kind: "unknown", detail, mayHaveRun: false };
}

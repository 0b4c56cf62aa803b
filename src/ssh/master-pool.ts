import { createHash } from "node:crypto";
import { setMaxListeners } from "node:events";
import type { Logger } from "../base/logger.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { type MasterDeps, startMaster } from "./master.ts";
import { type KeeperDeps, MasterKeeper, type SessionEnd } from "./master-keeper.ts";
import { endLeftMasters } from "./master-leftovers.ts";
import { openSocketDirectory, type SocketDirectory } from "./socket-directory.ts";
import { sshCommand, sshDestination, sshThroughMaster } from "./ssh-arguments.ts";

/** Connections that rsync's remote shells share: for each endpoint one OpenSSH master, when it is needed. */
export interface MasterPool {
  /**
   * The remote shell for an endpoint, through a shared connection where there is one or it can be opened now. Never
   * rejects; waits some seconds at most, and not once the signal is aborted.
   */
  readonly lend: (endpoint: SshEndpoint, signal: AbortSignal) => Promise<LentShell>;
  /** Ends every shared connection; whoever still uses one loses it. */
  close(): Promise<void>;
}

export interface LentShell {
  /** The argv, without user and host. */
  readonly shell: readonly string[];
  /** The same without what only this director can use. */
  readonly shown: readonly string[];
  /** undefined: the connection is not shared, and nobody has measured it. */
  readonly roundTrip: () => Promise<number | undefined>;
  /** Has to be called when the shell is not used any more; a second call does nothing. */
  readonly giveBack: (how: SessionEnd) => void;
}

export interface MasterPoolDeps extends MasterDeps {
  readonly log: Logger;
  /** Where its sockets may be, the best place first; each would be a directory of this instance alone. */
  readonly directories: readonly string[];
  /** Replaced in unit tests. */
  readonly start?: KeeperDeps["start"];
}

/** Opens nothing yet, but ends what an earlier life has left. Never rejects. */
export async function createMasterPool(deps: MasterPoolDeps): Promise<MasterPool> {
  const { log, start = startMaster } = deps;
  const keepers = new Map<string, MasterKeeper>();
  const ending = new AbortController();
  // Every login under way listens to it.
  setMaxListeners(0, ending.signal);
  const opened = await openSocketDirectory(deps.directories);
  let directory: SocketDirectory | undefined;
  if ("directory" in opened) ({ directory } = opened);
  else log.warn({ reason: opened.problem }, "no directory for shared ssh connections: every sync connects by itself");
  if (directory !== undefined) await endLeftMasters(directory, deps);

  const keeperOf = (endpoint: SshEndpoint, idleMs: number, path: string) => {
    const key = createHash("sha256").update(identityOf(endpoint)).digest("hex").slice(0, 12);
    const keeper =
      keepers.get(key) ??
      new MasterKeeper({ endpoint, idleMs, name: key }, { ...deps, start, directory: path, signal: ending.signal });
    keepers.set(key, keeper);
    return keeper;
  };
  return {
    lend: async (endpoint, signal) => {
      const shown = sshCommand(endpoint);
      const plain: LentShell = { shell: shown, shown, roundTrip: async () => undefined, giveBack: () => undefined };
      const { shareIdleMs } = endpoint;
      if (directory === undefined || shareIdleMs === undefined || ending.signal.aborted || signal.aborted) {
        return plain;
      }
      const complaint = directory.complaint();
      if (complaint !== undefined) {
        log.error({ reason: complaint }, "shared ssh connections are given up: every sync connects by itself");
        directory = undefined;
        return plain;
      }
      const session = await keeperOf(endpoint, shareIdleMs, directory.path).take(signal);
      if (session === undefined) return plain;
      return {
        shell: sshThroughMaster(endpoint, session.socket),
        shown,
        roundTrip: session.roundTrip,
        giveBack: session.end,
      };
    },
    close: async () => {
      ending.abort();
      await Promise.all([...keepers.values()].map((keeper) => keeper.close()));
      await directory?.remove();
    },
  };
}

/** Connections are shared by those who would start ssh with the very same words. */
function identityOf(endpoint: SshEndpoint): string {
  return JSON.stringify([...sshCommand(endpoint), sshDestination(endpoint), endpoint.shareIdleMs]);
}

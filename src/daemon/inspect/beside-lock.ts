import type { Clock } from "../../base/clock.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import type { ConnectionPool } from "../../ssh/connection-pool.ts";
import { quoteForShell } from "../../ssh/shell-protocol.ts";
import type { CatalogedLock } from "./lock-catalog.ts";
import { shellHere, shellThere, type RunOnHost } from "../doctor/doctor-shell.ts";

/** What lies beside a lock file. */
export interface Beside {
  /** `P.hold` is there: writers have locked it, or will. */
  readonly hasHold: boolean;
  readonly broken: readonly BrokenLock[];
}

/** A lock that was broken, kept as evidence. */
export interface BrokenLock {
  readonly name: string;
  /** Since it was moved aside, by the clock of its host. */
  readonly ageSeconds: number;
}

interface BesideDeps {
  readonly runTool: RunTool;
  readonly clock: Clock;
  readonly connections: ConnectionPool;
  readonly operationTimeoutMs: number;
}

/**
 * Looks beside the locks of one host. Undefined where it cannot be told: the account has no shell, or the host
 * does not answer (which the look at the locks themselves says too).
 */
export async function lookBeside(
  locks: readonly CatalogedLock[],
  deps: BesideDeps,
): Promise<readonly (Beside | undefined)[]> {
  const paths = locks.map(({ target }) => target.path);
  const lock = locks[0]?.lock;
  const command = `rd_beside 0 ${paths.map(quoteForShell).join(" ")}`;
  const ask = async (run: RunOnHost) => {
    const answer = await run(command);
    return answer.kind === "answered" ? readBeside(answer.lines, paths) : [];
  };
  if (lock === undefined) return [];
  try {
    if (lock.type === "local") return await ask(await shellHere(deps));
    const used = await deps.connections.use(lock.endpoint, async (connection) => {
      const shell = await shellThere(connection, deps);
      return shell.kind === "shell" ? ask(shell.run) : [];
    });
    return used.kind === "done" ? used.value : [];
  } catch {
    // A connection that breaks meanwhile: the locks are what matters, this is an addition.
    return [];
  }
}

/** Lines that make no sense are passed over. */
export function readBeside(lines: readonly string[], paths: readonly string[]): (Beside | undefined)[] {
  const found: ({ hasHold: boolean; broken: BrokenLock[] } | undefined)[] = paths.map(() => undefined);
  for (const line of lines) {
    const [, number = "", hold] = /^BESIDE (\d+) (hold|none)$/.exec(line) ?? [];
    if (hold !== undefined && Number(number) < paths.length) {
      found[Number(number)] = { hasHold: hold === "hold", broken: [] };
    }
    const [, index = "", age = "", token = ""] = /^BROKEN (\d+) (-?\d+) ([A-Za-z0-9_-]+)$/.exec(line) ?? [];
    const path = paths[Number(index)];
    if (token === "" || path === undefined) continue;
    found[Number(index)]?.broken.push({ name: `${path}.broken.${token}`, ageSeconds: Number(age) });
  }
  return found;
}

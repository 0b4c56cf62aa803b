import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { SyncAction, Target } from "../config/resolved.ts";
import type { ActionOutcome } from "../model/run.ts";
import type { ActionDeps, RemoteShell } from "./action-kind.ts";

/** The way to a target; undefined: it is this host. */
export async function openWay(
  action: SyncAction,
  target: Target,
  { deps, signal }: { deps: ActionDeps; signal: AbortSignal },
): Promise<RemoteShell | undefined> {
  if (target.endpoint === undefined) return undefined;
  // Nobody goes by ours where the operator has given rsync a remote shell.
  const isUsed = !rsyncOptionNames(action.opts).has("rsh");
  return deps.remoteShell(target.endpoint, isUsed ? signal : AbortSignal.abort());
}

/** By these codes rsync says that it lost the other side, or that nothing came from there. */
const lost: ReadonlySet<number | null> = new Set([10, 12, 30, 35, 255]);

/** What an outcome says about the connection. When in doubt it is to blame: the next try gets another one. */
export function endOfWay(outcome: ActionOutcome): "well" | "broken" | "unclear" {
  switch (outcome.kind) {
    case "ok":
    case "warning":
      return "well";
    case "cancelled":
      return "unclear";
    case "failed": {
      // Without a report nothing was started.
      if (outcome.report === null) return "unclear";
      const { exitCode } = outcome.report;
      return exitCode === null || lost.has(exitCode) ? "broken" : "well";
    }
  }
}

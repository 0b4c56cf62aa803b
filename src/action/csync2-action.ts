import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { abortReasonOf } from "../base/abort.ts";
import { describeError, OperatorError } from "../base/errors.ts";
import { redactArgv } from "../base/redact.ts";
import type { Csync2Action } from "../config/resolved.ts";
import type { SyncScope } from "../model/changes.ts";
import type { ActionOutcome, ActionReport } from "../model/run.ts";
import { createOutputTail } from "../process/output-tail.ts";
import type { ActionKind } from "./action-kind.ts";
import { listDirty, markUnnoticed, runChecks } from "./csync2/check-files.ts";
import { type Csync2Cluster, clusterOf } from "../config/csync2-peers.ts";
import { readCsync2Settings } from "../config/csync2-settings.ts";
import { checkOfChanges, completeCheck, csync2File, csync2Words } from "./csync2/csync2-words.ts";
import { outcomeOfPeers } from "./csync2/peer-outcome.ts";
import { createReceiver } from "./csync2/receiver.ts";
import type { Csync2Work } from "./csync2/run-csync2.ts";
import { settledChecks } from "./csync2/settled-checks.ts";
import { updatePeers } from "./csync2/update-peers.ts";

/**
 * Lets csync2 look at what changed and bring its peers up to date, one call for each peer. csync2 keeps its own
 * list of what a peer has not got; that list, empty, is what counts as success.
 */
export function createCsync2Action(): ActionKind<Csync2Action> {
  /** Paths carried since the last complete check, for each job and action. */
  const carried = new Map<string, number>();
  /** Who is connected to csync2 on this host and sends nothing. */
  const silent = new Map<string, string>();
  return {
    preview: (_job, action) => Promise.resolve([...csync2Words(action), ...completeCheck(action.paths).flatMap(flat)]),

    run: async (job, action, { context, deps }) => {
      const words = csync2Words(action);
      const key = JSON.stringify([job.id, action.id]);
      const scope = withReset(context.scope, { before: carried.get(key) ?? 0, resetAfter: action.resetAfter });
      const cluster = await readCluster(action);
      const calls =
        scope.kind === "full"
          ? completeCheck(action.paths)
          : checkOfChanges(scope.changes, action.paths.length > 0 ? action.paths : cluster.roots);
      const argv = redactArgv([...words, ...calls.slice(0, 1).flatMap(flat)]);
      context.onStarted(argv);
      const work: Csync2Work = { job, action, context, deps, words, tail: createOutputTail() };
      const report = (): ActionReport => ({
        argv,
        exitCode: null,
        signal: null,
        stats: null,
        output: work.tail.text(),
      });
      if (context.dryRun) return dryRun(work, cluster, report);

      const receiver = createReceiver(action, silent);
      const waiting = { clock: deps.clock, signal: context.signal };
      if (scope.kind === "full") await receiver.settle(waiting);
      const checked = await runChecks(work, scope.kind === "full" ? calls : await settledChecks(work, calls, receiver));
      if ("problem" in checked) return checked.problem;
      // csync2 takes the mark of a file away that it was just getting from that peer.
      await receiver.settle(waiting);
      let listed = await listDirty(work);
      if ("problem" in listed) return listed.problem;
      if (scope.kind === "paths") {
        const changed = scope.changes.filter(({ kind }) => kind === "changed").map(({ path }) => path);
        const about = { dirty: listed.files, peers: cluster.peers, settle: () => receiver.settle(waiting) };
        const marking = await markUnnoticed(work, changed, about);
        if ("problem" in marking) return marking.problem;
        if (marking.marked > 0) listed = await listDirty(work);
        if ("problem" in listed) return listed.problem;
      }
      const updates =
        action.mode === "check" ? new Map() : await updatePeers(work, cluster.peers, { dirty: listed.files, receiver });
      if (context.signal.aborted) {
        const { kind, message } = abortReasonOf(context.signal);
        return { kind: "cancelled", reason: kind, message, report: report() };
      }
      const left = action.mode === "check" ? listed : await listDirty(work);
      if ("problem" in left) return left.problem;
      const outcome = outcomeOfPeers({
        ...{ peers: cluster.peers, updates, left: left.files, mode: action.mode },
        // A path that nothing includes is right for a file that changed, and a slip in the configuration.
        ignored: scope.kind === "full" ? checked.ignored : [],
        ...{ tail: work.tail, report },
      });
      if (outcome.kind === "ok" || outcome.kind === "warning") {
        carried.set(key, scope.kind === "full" ? 0 : (carried.get(key) ?? 0) + scope.changes.length);
      }
      return outcome;
    },
  };
}

function flat({ mode, paths }: { mode: readonly string[]; paths: readonly string[] }): string[] {
  return [...mode, ...paths];
}

/** A complete check in place of a list, once as many paths as `reset_after` says were carried by lists. */
function withReset(scope: SyncScope, about: { before: number; resetAfter: number | undefined }): SyncScope {
  if (scope.kind === "full" || about.resetAfter === undefined) return scope;
  if (about.before + scope.changes.length <= about.resetAfter) return scope;
  return { kind: "full", reason: `${about.resetAfter} paths have been carried since the last complete check` };
}

async function readCluster(action: Csync2Action): Promise<Csync2Cluster> {
  const file = csync2File(action);
  const settings = await readCsync2Settings(file, async (name) => {
    return readFile(name, "utf8").catch((error: unknown) => {
      throw new OperatorError(`csync2's configuration cannot be read: ${describeError(error)}`);
    });
  });
  return clusterOf(settings, { ownName: action.hostname ?? hostname(), wanted: action.peers, file });
}

/** csync2's own dry run marks files as sent that it finds equal, so only its list is looked at. */
async function dryRun(work: Csync2Work, { peers }: Csync2Cluster, report: () => ActionReport): Promise<ActionOutcome> {
  const listed = await listDirty(work);
  if ("problem" in listed) return listed.problem;
  return outcomeOfPeers({
    ...{ peers, updates: new Map(), left: listed.files, mode: "check" as const, ignored: [], tail: work.tail, report },
  });
}

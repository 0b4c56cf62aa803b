import { hostname } from "node:os";
import { sleep } from "../../base/abort.ts";
import { dirtyFor, type DirtyFile } from "./dirty-list.ts";
import type { Receiver } from "./receiver.ts";
import type { Csync2Work } from "./run-csync2.ts";
import { sendMissing } from "./send-missing.ts";
import { type PeerUpdate, type UpdateAttempt, updatePeer } from "./update-peer.ts";

/** How the update of a peer went, and why rsync could not help if it could not. */
export type PeerResult = PeerUpdate & { readonly rsyncProblem?: string };

type Attempt = UpdateAttempt & { readonly rsyncProblem?: string };

/** So long before each further look at a conflict (ms). */
const looksMs = [1000, 2000];
/** The two sides of a conflict must not look in the same moment: one of them is this many times slower. */
const slower = 1.7;

/**
 * Updates every peer that something waits for, `parallel_updates` at a time. A peer that fails stops no other.
 *
 * Two hosts that send each other the same file in the same moment both find it marked on the other side. Mostly one of
 * them has nothing to say that the other does not know, and its mark is gone with its next step. So a conflict is one
 * only when it is still there a moment later, with nobody connected; that is found out when all others are served.
 */
export async function updatePeers(
  work: Csync2Work,
  peers: readonly string[],
  { dirty, receiver }: { dirty: readonly DirtyFile[]; receiver: Receiver },
): Promise<Map<string, PeerResult>> {
  const waiting = peers.filter((peer) => dirtyFor(dirty, peer).length > 0);
  const attempts = await inLanes(work, waiting, (peer) => updateOne(work, peer, dirtyFor(dirty, peer)));
  for (const ms of looksMs) {
    const open = [...attempts].filter(([, { kind }]) => kind === "conflict").map(([peer]) => peer);
    if (open.length === 0 || !(await pause(work, receiver, { ms, open }))) break;
    for (const [peer, attempt] of await inLanes(work, open, (name) => updatePeer(work, name))) {
      const { rsyncProblem } = attempts.get(peer) ?? {};
      attempts.set(peer, rsyncProblem === undefined ? attempt : { ...attempt, rsyncProblem });
    }
  }
  return new Map([...attempts].map(([peer, attempt]) => [peer, asResult(attempt)]));
}

/** Calls `update` for each of them, in the order they are given. */
async function inLanes(
  { action, context }: Csync2Work,
  peers: readonly string[],
  update: (peer: string) => Promise<Attempt>,
): Promise<Map<string, Attempt>> {
  const attempts = new Map<string, Attempt>();
  const rest = [...peers];
  const lane = async () => {
    for (let peer = rest.shift(); peer !== undefined; peer = rest.shift()) {
      if (context.signal.aborted) return;
      attempts.set(peer, await update(peer));
    }
  };
  await Promise.all(Array.from({ length: action.parallelUpdates }, lane));
  return attempts;
}

/** false: the action is to stop. */
async function pause(
  { action, context, deps }: Csync2Work,
  receiver: Receiver,
  { ms, open }: { ms: number; open: readonly string[] },
): Promise<boolean> {
  const { clock } = deps;
  const { signal } = context;
  const ownName = action.hostname ?? hostname();
  const isSlower = open.every((peer) => ownName > peer);
  if (!(await sleep(isSlower ? ms * slower : ms, { clock, signal }))) return false;
  await receiver.settle({ clock, signal });
  return !signal.aborted;
}

async function updateOne(work: Csync2Work, peer: string, files: readonly DirtyFile[]): Promise<Attempt> {
  const { rsyncThreshold } = work.action;
  if (rsyncThreshold === undefined || files.length <= rsyncThreshold) return updatePeer(work, peer);
  const sent = await sendMissing(work, peer, files);
  if (sent.kind === "ended") return sent;
  const update = await updatePeer(work, peer);
  return sent.kind === "failed" ? { ...update, rsyncProblem: sent.message } : update;
}

function asResult(attempt: Attempt): PeerResult {
  if (attempt.kind !== "conflict") return attempt;
  const { message, rsyncProblem } = attempt;
  return { kind: "failed", message, retryable: false, ...(rsyncProblem === undefined ? {} : { rsyncProblem }) };
}

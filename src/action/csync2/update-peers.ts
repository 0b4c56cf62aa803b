import { dirtyFor, type DirtyFile } from "./dirty-list.ts";
import type { Csync2Work } from "./run-csync2.ts";
import { sendMissing } from "./send-missing.ts";
import { type PeerUpdate, updatePeer } from "./update-peer.ts";

/** How the update of a peer went, and why rsync could not help if it could not. */
export type PeerResult = PeerUpdate & { readonly rsyncProblem?: string };

/** Updates every peer that something waits for, `parallel_updates` at a time. A peer that fails stops no other. */
export async function updatePeers(
  work: Csync2Work,
  peers: readonly string[],
  { dirty }: { dirty: readonly DirtyFile[] },
): Promise<Map<string, PeerResult>> {
  const results = new Map<string, PeerResult>();
  const waiting = peers.filter((peer) => dirtyFor(dirty, peer).length > 0);
  const lane = async () => {
    for (let peer = waiting.shift(); peer !== undefined; peer = waiting.shift()) {
      if (work.context.signal.aborted) return;
      results.set(peer, await updateOne(work, peer, dirtyFor(dirty, peer)));
    }
  };
  await Promise.all(Array.from({ length: work.action.parallelUpdates }, lane));
  return results;
}

async function updateOne(work: Csync2Work, peer: string, files: readonly DirtyFile[]): Promise<PeerResult> {
  const { rsyncThreshold } = work.action;
  if (rsyncThreshold === undefined || files.length <= rsyncThreshold) return updatePeer(work, peer);
  const sent = await sendMissing(work, peer, files);
  if (sent.kind === "ended") return sent;
  const update = await updatePeer(work, peer);
  return sent.kind === "failed" ? { ...update, rsyncProblem: sent.message } : update;
}

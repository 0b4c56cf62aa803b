import type { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { differenceOf } from "../../changes/read-copies.ts";
import type { DirectorEvents } from "../../model/events.ts";
import type { ChangeQuery, RecordedChange } from "../../model/tracked-change.ts";
import { type ChangeArchives, type FoundChange, findChanges, openChangeArchives } from "../inspect/change-archives.ts";

export interface ChangeRecords {
  /** Newest first; undefined: nothing is tracked, or it cannot be read. */
  find(query: ChangeQuery): readonly RecordedChange[] | undefined;
  /** The unified difference of one change of an answer; undefined: there is none. */
  difference(id: number): Promise<string | undefined>;
  /** The backup directories of another configuration. */
  use(roots: readonly string[]): Promise<void>;
  close(): void;
}

/**
 * Reads the ledgers of changed files beside those who write them. A ledger comes into being with its first entry, so
 * one that was not there is looked for again when something was recorded.
 */
export function openChangeRecords(deps: { events: Emitter<DirectorEvents>; log: Logger }): ChangeRecords {
  const { events, log } = deps;
  let roots: readonly string[] = [];
  let open: ChangeArchives | undefined;
  let turn: Promise<void> = Promise.resolve();
  let closed = false;

  const reopen = async () => {
    try {
      const next = await openChangeArchives(roots);
      if (closed) return next.close();
      open?.close();
      open = next;
    } catch (error) {
      log.error({ error: describeError(error) }, "recorded changes cannot be read");
    }
  };
  const unsubscribe = events.on("changes:recorded", () => {
    if ((open?.archives.length ?? 0) < roots.length) turn = turn.then(reopen);
  });
  const found = (query: ChangeQuery): FoundChange[] | undefined => {
    if (roots.length === 0) return undefined;
    try {
      return findChanges(open ?? { archives: [] }, query);
    } catch (error) {
      log.error({ error: describeError(error) }, "recorded changes cannot be read");
      return undefined;
    }
  };
  return {
    find: (query) => found(query)?.map(({ change, archive }) => ({ ...change, id: idOf(change, archive.root, roots) })),
    difference: async (id) => {
      await turn;
      const root = roots[id % roots.length];
      const archive = open?.archives.find((one) => one.root === root);
      const change = archive?.reader.change(Math.floor(id / roots.length));
      if (archive === undefined || change === undefined) return undefined;
      const difference = await differenceOf(archive, change);
      return difference.kind === "diff" ? difference.text : undefined;
    },
    use: (wanted) => {
      turn = turn.then(async () => {
        roots = wanted;
        await reopen();
      });
      return turn;
    },
    close: () => {
      closed = true;
      unsubscribe();
      open?.close();
    },
  };
}

/** Every backup directory counts its changes for itself. */
function idOf({ id }: RecordedChange, root: string, roots: readonly string[]): number {
  return id * roots.length + roots.indexOf(root);
}

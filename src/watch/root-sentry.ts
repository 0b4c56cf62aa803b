import { type FSWatcher, watch } from "node:fs";
import { posix } from "node:path";
import { codeOf } from "./adopt-tree.ts";
import type { InotifyLedger } from "./inotify-ledger.ts";

/** Watches the directory above a root: the root that is not there yet, and the link that may lead elsewhere. */
export interface RootSentry {
  /** Begins to watch, or ends it. Where that is not possible the root is looked for from time to time only. */
  post(needed: boolean): void;
}

export function createRootSentry({
  root,
  ledger,
  onSuspicion,
}: {
  readonly root: string;
  readonly ledger: InotifyLedger;
  /** Something came, went or was exchanged at the root's name, or the directory above it did. */
  readonly onSuspicion: () => void;
}): RootSentry {
  const above = posix.dirname(root);
  const names = new Set([posix.basename(root), posix.basename(above)]);
  let handle: FSWatcher | null = null;

  const withdraw = (): void => {
    if (handle === null) return;
    handle.close();
    handle = null;
    ledger.closed();
  };
  const suspect = (): void => {
    // It may not be the directory above any more: whoever is called posts anew.
    withdraw();
    onSuspicion();
  };

  return {
    post(needed) {
      if (!needed || above === root) return withdraw();
      if (handle !== null) return;
      try {
        handle = watch(above, (event, name) => {
          ledger.delivered();
          if (event === "rename" && (name === null || names.has(name))) suspect();
        });
        handle.on("error", suspect);
        ledger.opened();
      } catch (error) {
        codeOf(error);
      }
    },
  };
}

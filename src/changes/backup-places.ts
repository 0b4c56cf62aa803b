import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TrackedTree } from "../model/tracked-change.ts";

/** The longest path that the kernel takes is 4096 bytes; temporary names need a little more. */
const longestPath = 4000;

/** Where things are below a backup directory. Names of files are those of the transfer, as they are. */
export interface BackupPlaces {
  readonly root: string;
  readonly ledger: string;
  readonly staging: string;
  stagingOf(batchId: string): string;
  /** The directory of the baselines of one sync. */
  currentRoot(of: TrackedTree): string;
  /** The file as it was last synced. */
  current(of: TrackedTree, path: string): string;
  /** Below the root: the directory of the copies that one batch replaces. A run that comes back gets another one. */
  newCopyDirectory(of: TrackedTree, runId: string): string;
  /** Whether a file of that name can be kept at all. */
  fits(of: TrackedTree, path: string): boolean;
}

export function backupPlaces(root: string): BackupPlaces {
  const tree = ({ jobId, actionId }: TrackedTree) => join(safeName(jobId), safeName(actionId));
  const current = (of: TrackedTree, path: string) => join(root, "current", tree(of), path);
  return {
    root,
    ledger: join(root, "ledger.db"),
    staging: join(root, "staging"),
    stagingOf: (batchId) => join(root, "staging", batchId),
    currentRoot: (of) => join(root, "current", tree(of)),
    current,
    newCopyDirectory: (of, runId) => {
      for (let count = 1; ; count += 1) {
        const name = join("versions", safeName(count === 1 ? runId : `${runId}~${count}`), tree(of));
        if (!existsSync(join(root, name))) return name;
      }
    },
    fits: (of, path) => Buffer.byteLength(current(of, path)) + 100 < longestPath,
  };
}

/** Whether it names something below a directory, and nothing else. */
export function isSafePath(path: string): boolean {
  return !path.includes("\0") && path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

/** Ids are letters, digits, `_`, `.` and `-`: only dots alone would mean something to the kernel. */
function safeName(id: string): string {
  return /^\.+$/.test(id) || id.includes("/") ? encodeURIComponent(id).replaceAll(".", "%2E") : id;
}

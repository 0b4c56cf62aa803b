import type { UpgradeNote } from "./upgrade-note.ts";
import { isRecord, recordsOf, type Tree } from "../tree.ts";

/** Keys that the Python original took for not given when they were empty. */
const optionalKeys = ["pid_file_dir", "port", "private_ssh_key", "private_key_path"];

/** Removes keys without a value where the original ignored them; anywhere else an empty value is a mistake. */
export function upgradeEmptyValues(root: Tree): UpgradeNote[] {
  removeEmpty(root);
  for (const [, job] of recordsOf(root["jobs"])) {
    removeEmpty(job);
    for (const key of ["lock_files", "blocks_on"]) for (const [, lock] of recordsOf(job[key])) removeEmpty(lock);
  }
  if (isRecord(root["metrics"])) removeEmpty(root["metrics"]);
  return [];
}

function removeEmpty(block: Tree): void {
  for (const key of optionalKeys) if (block[key] === null || block[key] === "") delete block[key];
}

import type { Positions } from "../positions.ts";
import { isRecord, recordsOf, type Tree } from "../tree.ts";
import type { UpgradeNote } from "./upgrade-note.ts";

const name = "private_ssh_key";
const otherNames = ["private_key_path", "identity_file"];

/**
 * The original's manual says `private_ssh_key` and its code reads `private_key_path`; other programs say
 * `identity_file`. All are accepted without a warning. Two in one block are left, to be refused.
 */
export function upgradeKeyNames(root: Tree, positions: Positions): UpgradeNote[] {
  const owners = [root["defaults"], ...recordsOf(root["jobs"]).map(([, job]) => job)].filter(isRecord);
  const blocks = owners.flatMap((owner) => [
    owner,
    ...["lock_files", "blocks_on", "targets"].flatMap((key) => recordsOf(owner[key]).map(([, lock]) => lock)),
  ]);
  if (isRecord(root["ssh"])) blocks.push(root["ssh"]);
  for (const block of blocks) {
    const given = [name, ...otherNames].filter((key) => Object.hasOwn(block, key));
    const [only] = given;
    if (given.length !== 1 || only === undefined || only === name) continue;
    positions.rename(block, only, name);
    block[name] = block[only];
    delete block[only];
  }
  return [];
}

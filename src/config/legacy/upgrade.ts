import type { Positions } from "../positions.ts";
import type { Tree } from "../tree.ts";
import { upgradeEmptyValues } from "./empty-values.ts";
import { upgradeKeyNames } from "./key-names.ts";
import { upgradeSeedJson } from "./seed-json.ts";
import { upgradeSyncsLayout } from "./syncs-layout.ts";
import type { Upgrade, UpgradeNote } from "./upgrade-note.ts";

/** In this order: whole formats first, then parts. */
const upgrades: readonly Upgrade[] = [upgradeSeedJson, upgradeEmptyValues, upgradeSyncsLayout, upgradeKeyNames];

/** Brings a tree up to date; the notes are warnings. */
export function upgradeTree(root: Tree, positions: Positions): UpgradeNote[] {
  return upgrades.flatMap((upgrade) => upgrade(root, positions));
}

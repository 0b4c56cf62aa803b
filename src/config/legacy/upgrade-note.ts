import type { Positions } from "../positions.ts";
import type { KeyPath } from "../problem.ts";
import type { Tree } from "../tree.ts";

/** What an upgrade has done, for the administrator; the path is one of the upgraded tree. */
export interface UpgradeNote {
  path: KeyPath;
  message: string;
}

/**
 * Rewrites one older format in place, before anything is checked. It leaves alone what it does not
 * know, and does nothing to a tree that is up to date already. Positions move along with values.
 */
export type Upgrade = (root: Tree, positions: Positions) => UpgradeNote[];

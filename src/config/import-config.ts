import { homedir } from "node:os";
import { checkRules } from "./check-jobs.ts";
import { readsAs } from "./cron-fields.ts";
import { upgradeTree } from "./legacy/upgrade.ts";
import { Positions } from "./positions.ts";
import { ProblemLog } from "./problem-log.ts";
import type { ConfigProblem, KeyPath } from "./problem.ts";
import { readTree } from "./read-tree.ts";
import { isRecord, type Tree } from "./tree.ts";
import { findUnknownKeys, topLevelKeys, validateTree } from "./validate.ts";

export interface ImportedConfig {
  /** In the present format, without defaults filled in; included files are part of it. */
  tree: Tree;
  /** What was left out or read differently. */
  warnings: readonly ConfigProblem[];
  /** What has to be changed by hand before the result can be used. */
  problems: readonly ConfigProblem[];
}

/**
 * Reads a configuration of an older format for somebody who wants to go on in the present one. Throws
 * an `OperatorError` when the file cannot be read or is no YAML or JSON.
 */
export async function importConfig(path: string, options: { uid?: number } = {}): Promise<ImportedConfig> {
  const positions = new Positions();
  const log = new ProblemLog(positions);
  const { uid = process.geteuid?.() } = options;
  const tree = await readTree(path, { log, positions, env: undefined, uid });
  log.throwIfFailed();
  if (tree === undefined) throw new Error("a configuration without content and without a problem");
  for (const note of upgradeTree(tree, positions)) log.warning(note.path, note.message);
  for (const unknown of findUnknownKeys(tree)) {
    log.warning(unknown, "has no counterpart and was left out", { at: "key" });
    remove(tree, unknown);
  }
  delete tree["include"];
  keepScheduleMeaning(tree, log);
  check(tree, log);
  return { tree: inManualOrder(tree), warnings: log.warnings, problems: log.errors };
}

/** What is to be said of a configuration that was put together from files of another program. */
export function checkImported(tree: Tree): Pick<ImportedConfig, "warnings" | "problems"> {
  const log = new ProblemLog(new Positions());
  log.setRoot(tree);
  check(tree, log);
  return { warnings: log.warnings, problems: log.errors };
}

function check(tree: Tree, log: ProblemLog): void {
  validateTree(tree, log);
  checkRules(tree, log, { home: homedir() });
}

function remove(tree: Tree, path: KeyPath): void {
  const owner = path.slice(0, -1).reduce<unknown>((value, part) => (value as Tree | undefined)?.[part], tree);
  if (isRecord(owner)) delete owner[String(path.at(-1))];
}

/** The original counted weekdays from Monday = 0, wanted both day fields to match and knew `5/15` (APScheduler). */
function keepScheduleMeaning(tree: Tree, log: ProblemLog): void {
  const schedule = tree["cron_schedule"];
  if (tree["cron_dialect"] !== undefined || typeof schedule !== "string") return;
  const [, , day = "*", , weekday = "*"] = schedule.trim().split(/\s+/);
  const differs = /\d/.test(weekday) || (day !== "*" && weekday !== "*") || !readsAs(schedule, "linux");
  if (!differs || !readsAs(schedule, "apscheduler")) return;
  tree["cron_dialect"] = "apscheduler";
  log.warning(["cron_schedule"], "cron_dialect: apscheduler was added: Linux cron would read it differently");
}

function inManualOrder(tree: Tree): Tree {
  const rank = (key: string) => (topLevelKeys.includes(key) ? topLevelKeys.indexOf(key) : topLevelKeys.length);
  return Object.fromEntries(Object.entries(tree).toSorted(([one], [other]) => rank(one) - rank(other)));
}

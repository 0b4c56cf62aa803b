import { homedir } from "node:os";
import { resolve } from "node:path";
import { checkRules } from "./check-jobs.ts";
import type { Environment } from "./interpolate.ts";
import { upgradeTree } from "./legacy/upgrade.ts";
import { Positions } from "./positions.ts";
import { ProblemLog } from "./problem-log.ts";
import type { ConfigProblem, ConfigWarning, KeyPath } from "./problem.ts";
import { readTree } from "./read-tree.ts";
import { resolveConfig } from "./resolve.ts";
import type { Config } from "./resolved.ts";
import type { RawConfig } from "./schema.ts";
import type { Tree } from "./tree.ts";
import { validateTree } from "./validate.ts";

export interface LoadOptions {
  /** Where `${NAME}` is looked up, and `HOME` for `~/`. */
  env: Environment;
  /** Whose files besides root's are trusted; the user of this process unless given. */
  uid?: number;
}

export interface LoadedConfig {
  config: Config;
  /** In the order of the file. */
  warnings: readonly ConfigWarning[];
}

/**
 * Reads, checks and resolves a configuration. Throws an `OperatorError` of kind `usage` whose message
 * has one line for each problem that was found, as `file:line:column: key: what is wrong`.
 */
export async function loadConfig(path: string, options: LoadOptions): Promise<LoadedConfig> {
  const { tree, log } = await readChecked(path, options);
  log.throwIfFailed();
  return { config: resolveTree(tree, path, options), warnings: log.warnings };
}

/**
 * Everything that can be said about a configuration, warnings also where there are problems; `config` is
 * undefined then. Throws an `OperatorError` when the file cannot be read at all.
 */
export async function inspectConfig(path: string, options: LoadOptions): Promise<InspectedConfig> {
  const { tree, log } = await readChecked(path, options);
  const config = log.failed ? undefined : resolveTree(tree, path, options);
  return { config, problems: log.errors, warnings: log.warnings, find: (where) => log.find(where) };
}

export interface InspectedConfig {
  readonly config: Config | undefined;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigWarning[];
  /** Where a value of the configuration was written, such as `["jobs", 0, "lock_files", 1]`. */
  readonly find: (where: KeyPath) => Omit<ConfigProblem, "message">;
}

function resolveTree(tree: Tree | undefined, path: string, { env }: LoadOptions): Config {
  return resolveConfig(tree as unknown as RawConfig, { file: resolve(path), home: homeOf(env) });
}

function homeOf(env: Environment): string {
  return env["HOME"] ?? homedir();
}

async function readChecked(path: string, options: LoadOptions): Promise<{ tree: Tree | undefined; log: ProblemLog }> {
  const positions = new Positions();
  const log = new ProblemLog(positions);
  const { env, uid = process.geteuid?.() } = options;
  const tree = await readTree(path, { log, positions, env, uid });
  if (tree === undefined) return { tree, log };
  for (const note of upgradeTree(tree, positions)) log.warning(note.path, note.message);
  validateTree(tree, log);
  if (!log.hopeless) checkRules(tree, log, { home: homeOf(env) });
  return { tree, log };
}

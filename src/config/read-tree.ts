import { realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { coerceError, OperatorError } from "../base/errors.ts";
import { expandPattern, isPattern } from "./file-glob.ts";
import type { Environment } from "./interpolate.ts";
import { parseYaml } from "./parse-yaml.ts";
import type { Positions } from "./positions.ts";
import type { ProblemLog } from "./problem-log.ts";
import { formatPath, type KeyPath } from "./problem.ts";
import { readConfigFile } from "./read-file.ts";
import { findSecret } from "./redact.ts";
import { isRecord, type Tree } from "./tree.ts";

interface Options {
  log: ProblemLog;
  positions: Positions;
  /** undefined: variables are left as they are written. */
  env: Environment | undefined;
  uid: number | undefined;
}

/** Keys that a file may have that another one includes. */
const includedKeys = new Set(["jobs", "defaults", "include"]);

/**
 * Reads a configuration file and all files it includes into one tree. Jobs of included files follow
 * those of the main file; what the main file says in `defaults` comes before what an included one says.
 * The main file that cannot be read throws an `OperatorError`; every other problem goes to the log.
 */
export async function readTree(path: string, options: Options): Promise<Tree | undefined> {
  return new TreeReader(options).read(path);
}

class TreeReader {
  readonly #options: Options;
  /** Real paths of the files read so far; a file that two patterns name is read once. */
  readonly #seen = new Set<string>();
  readonly #defaultsFrom = new Map<string, string>();

  constructor(options: Options) {
    this.#options = options;
  }

  async read(path: string): Promise<Tree | undefined> {
    const tree = await this.#readFile(path);
    if (tree === undefined) return undefined;
    this.#options.log.setRoot(tree);
    const real = await realpath(path);
    this.#seen.add(real);
    await this.#include(tree, tree, { file: resolve(path), chain: [real] });
    return tree;
  }

  async #readFile(path: string): Promise<Tree | undefined> {
    const { log, positions, env, uid } = this.#options;
    const { file, text, worldReadable } = await readConfigFile(path, uid);
    const value = parseYaml({ file, text }, { log, positions, env });
    if (value === undefined) return undefined;
    if (value === null) {
      log.fileError(file, "is empty");
      return undefined;
    }
    if (!isRecord(value)) {
      log.fileError(file, "is not a list of keys and values (such as rsync_id: nas)");
      return undefined;
    }
    const secret = worldReadable ? findSecret(value) : undefined;
    const place = secret === undefined ? undefined : positions.find(value, secret);
    if (secret !== undefined && place !== undefined) {
      log.warningAt(
        place,
        formatPath(secret),
        "every user of this host can read this secret: run chmod o-r on the file",
      );
    }
    return value;
  }

  /** Reads what `fragment` includes into `root`. `chain`: the files that led here. */
  async #include(root: Tree, fragment: Tree, from: { file: string; chain: readonly string[] }): Promise<void> {
    const patterns = fragment["include"];
    if (!Array.isArray(patterns)) return;
    for (const [index, pattern] of patterns.entries()) {
      if (typeof pattern !== "string" || pattern === "") continue;
      const path: KeyPath = ["include", index];
      const complain = (message: string) => this.#complain(root, fragment, path, message);
      const files = await this.#matches(resolve(dirname(from.file), pattern), complain);
      for (const file of files) await this.#includeFile(root, file, from.chain, complain);
    }
  }

  async #matches(pattern: string, complain: (message: string) => void): Promise<string[]> {
    if (!isPattern(pattern)) return [pattern];
    try {
      return await expandPattern(pattern);
    } catch (error) {
      complain(`the directory cannot be read: ${coerceError(error).message}`);
      return [];
    }
  }

  async #includeFile(
    root: Tree,
    file: string,
    chain: readonly string[],
    complain: (message: string) => void,
  ): Promise<void> {
    const real = await realpath(file).catch(() => file);
    if (chain.includes(real))
      return complain(`${file} includes itself${chain.length > 1 ? " by way of other files" : ""}`);
    if (this.#seen.has(real)) return;
    this.#seen.add(real);
    try {
      const fragment = await this.#readFile(file);
      if (fragment === undefined) return;
      this.#merge(root, fragment, file);
      await this.#include(root, fragment, { file, chain: [...chain, real] });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      complain(error.message);
    }
  }

  #merge(root: Tree, fragment: Tree, file: string): void {
    const { positions } = this.#options;
    for (const key of Object.keys(fragment)) {
      if (includedKeys.has(key)) continue;
      this.#complain(
        root,
        fragment,
        [key],
        "belongs into the main file: an included file may have jobs, defaults and include only",
        "key",
      );
    }
    if (Array.isArray(fragment["jobs"])) {
      const jobs = Array.isArray(root["jobs"]) ? root["jobs"] : (root["jobs"] ??= []);
      if (Array.isArray(jobs)) positions.append(jobs, fragment["jobs"]);
    } else if (fragment["jobs"] !== undefined) {
      this.#complain(root, fragment, ["jobs"], "must be a list");
    }
    if (isRecord(fragment["defaults"])) this.#mergeDefaults(root, fragment["defaults"], fragment, file);
    else if (fragment["defaults"] !== undefined)
      this.#complain(root, fragment, ["defaults"], "must be a block of keys");
  }

  #mergeDefaults(root: Tree, defaults: Tree, fragment: Tree, file: string): void {
    const known = root["defaults"];
    const own = isRecord(known) ? known : {};
    const merged: Tree = { ...own };
    for (const [key, value] of Object.entries(defaults)) {
      const other = this.#defaultsFrom.get(key);
      if (other !== undefined)
        this.#complain(root, fragment, ["defaults", key], `is given in ${other} too: keep one`, "key");
      else if (!Object.hasOwn(own, key)) {
        Object.defineProperty(merged, key, { value, enumerable: true, writable: true, configurable: true });
        this.#defaultsFrom.set(key, file);
      }
    }
    this.#options.positions.inherit(merged, [own, defaults]);
    root["defaults"] = merged;
  }

  /** Complains about a value of one file; the log otherwise knows paths of the whole tree only. */
  #complain(root: Tree, fragment: Tree, path: KeyPath, message: string, at: "key" | "value" = "value"): void {
    const { log } = this.#options;
    log.setRoot(fragment);
    log.error(path, message, { at });
    log.setRoot(root);
  }
}

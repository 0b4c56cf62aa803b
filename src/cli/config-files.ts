import { readdir, realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import { OperatorError } from "../base/errors.ts";
import { expandPattern, isPattern } from "../config/file-glob.ts";

/** A configuration file to be looked at, and what was said of the host that it belongs to. */
export interface ConfigFile {
  readonly file: string;
  /** Names of its host; empty: nobody said so. */
  readonly hosts: readonly string[];
}

/** The files of this directory belong to the host that they are on. */
const systemDirectory = "/etc/rsyncdirector";

/**
 * Reads the arguments of `config check`: a file, `NAME=FILE` or `NAME,OTHERNAME=FILE`, a directory (its *.yaml and
 * *.yml), or a pattern. Each file comes once, also if it is named twice.
 */
export async function findConfigFiles(words: readonly string[], self = hostname()): Promise<ConfigFile[]> {
  const found = new Map<string, ConfigFile>();
  for (const word of words) {
    const { file: name, hosts } = await readWord(word);
    for (const file of await expand(name)) {
      const known = await realpath(file).catch(() => resolve(file));
      const its = hosts.length > 0 ? hosts : dirname(known) === systemDirectory ? [self] : [];
      const before = found.get(known);
      found.set(known, { file: before?.file ?? file, hosts: [...new Set([...(before?.hosts ?? []), ...its])] });
    }
  }
  return [...found.values()];
}

async function readWord(word: string): Promise<ConfigFile> {
  const [, names = "", file = ""] = /^([A-Za-z0-9][\w.:,-]*)=(.+)$/.exec(word) ?? [];
  if (file === "" || (await isThere(word))) return { file: word, hosts: [] };
  return { file, hosts: names.split(",").filter((name) => name !== "") };
}

async function expand(name: string): Promise<string[]> {
  if (await isDirectory(name)) {
    const files = (await readdir(name)).filter((entry) => /^[^.].*\.ya?ml$/.test(entry)).toSorted();
    if (files.length > 0) return files.map((file) => join(name, file));
    throw new OperatorError(`${name}: there is no *.yaml or *.yml in this directory`, { kind: "usage" });
  }
  if (!isPattern(name) || (await isThere(name))) return [name];
  const files = await expandPattern(resolve(name));
  if (files.length > 0) return files;
  throw new OperatorError(`${name}: no file is called like that`, { kind: "usage" });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

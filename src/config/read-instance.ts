import { homedir } from "node:os";
import { type Environment, interpolate } from "./interpolate.ts";
import { kinds } from "./kinds.ts";
import { expandHome } from "./paths.ts";
import { readConfigFile } from "./read-file.ts";
import type { Config } from "./resolved.ts";

/** What is needed to find the director of a configuration. */
export type InstanceNames = Pick<Config, "rsyncId" | "pidFileDir">;

/**
 * Reads only what names the instance, also of a file that has mistakes everywhere else: a director that runs has
 * to be reached while somebody is editing its configuration. undefined: the file does not even say that much.
 * Throws an `OperatorError` when the file cannot be read or must not be trusted.
 */
export async function readInstanceNames(
  path: string,
  { env, uid = process.geteuid?.() }: { env: Environment; uid?: number },
): Promise<InstanceNames | undefined> {
  const { text } = await readConfigFile(path, uid);
  const read = async (key: string): Promise<string | undefined> => {
    const found = await topLevelValue(text, key);
    if (found === undefined) return undefined;
    const replaced = interpolate(found, env);
    return "text" in replaced ? replaced.text : undefined;
  };
  const rsyncId = await read("rsync_id");
  if (rsyncId === undefined || !new RegExp(kinds.id.pattern).test(rsyncId)) return undefined;
  const directory = await read("pid_file_dir");
  return {
    rsyncId,
    pidFileDir: directory === undefined ? undefined : expandHome(directory, env["HOME"] ?? homedir()),
  };
}

/**
 * Of a file written in lines, which `rsync_id` at the beginning of one shows, the lines of one key alone: hundreds of
 * jobs take longer to read than a director takes to answer. undefined: the whole file has to be read.
 */
function linesOf(text: string, key: string): string | undefined {
  const lines = text.split("\n");
  if (!lines.some((line) => line.startsWith("rsync_id:")) || lines.some((line) => /^(<<|\?|["'])/.test(line)))
    return undefined;
  const begin = lines.findIndex((line) => line.startsWith(`${key}:`));
  if (begin < 0) return "";
  const length = lines.slice(begin + 1).findIndex((line) => /^[^\s#]/.test(line));
  return lines.slice(begin, length < 0 ? undefined : begin + 1 + length).join("\n");
}

async function topLevelValue(text: string, key: string): Promise<string | undefined> {
  const lines = linesOf(text, key);
  const word = lines === undefined ? undefined : plainWord(lines, key);
  if (word !== undefined) return word;
  // An alias leads to another key.
  return lines === undefined || lines.includes("*") ? readValue(text, key) : readValue(lines, key);
}

/** A word that is text by every rule of YAML: for most files nothing of its parser has to be loaded. */
function plainWord(lines: string, key: string): string | undefined {
  const found = new RegExp(`^${key}: +((?!(?:null|true|false)$)[a-z/][a-z0-9_./-]*)$`, "i").exec(lines.trimEnd());
  return found?.[1];
}

async function readValue(text: string, key: string): Promise<string | undefined> {
  if (text.trim() === "") return undefined;
  const { isAlias, isMap, isScalar, parseDocument } = await import("yaml");
  try {
    const document = parseDocument(text, { uniqueKeys: false, logLevel: "silent" });
    const node: unknown = isMap(document.contents) ? document.contents.get(key, true) : undefined;
    const target: unknown = isAlias(node) ? node.resolve(document) : node;
    const value = isScalar(target) ? target.value : undefined;
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

import { homedir } from "node:os";
import { isMap, parseDocument } from "yaml";
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
  const read = (key: string): string | undefined => {
    const found = topLevelValue(text, key);
    if (found === undefined) return undefined;
    const replaced = interpolate(found, env);
    return "text" in replaced ? replaced.text : undefined;
  };
  const rsyncId = read("rsync_id");
  if (rsyncId === undefined || !new RegExp(kinds.id.pattern).test(rsyncId)) return undefined;
  const directory = read("pid_file_dir");
  return {
    rsyncId,
    pidFileDir: directory === undefined ? undefined : expandHome(directory, env["HOME"] ?? homedir()),
  };
}

function topLevelValue(text: string, key: string): string | undefined {
  try {
    const { contents } = parseDocument(text, { uniqueKeys: false, logLevel: "silent" });
    const value: unknown = isMap(contents) ? contents.get(key) : undefined;
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

import { accessSync, constants, statSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Where a program would be started from: `name` itself when it contains a slash (taken from `cwd`),
 * else the first executable file of that name in `path`. Undefined when there is none.
 */
export function findProgram(name: string, path: string, cwd: string = "/"): string | undefined {
  if (name.includes("/")) return isExecutable(resolve(cwd, name)) ? name : undefined;
  return path
    .split(":")
    .map((directory) => join(directory === "" ? "." : directory, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    // Most directories do not have it, and an error for each takes longer than the look.
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

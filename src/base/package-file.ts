import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

let directory: string | undefined;

/**
 * The path of a file that comes with the program, such as `resources/lock.sh`. It is looked up from the top of the
 * package, because a module does not know how deep below it lies: the build puts many of them into one file.
 */
export function packageFile(path: string): string {
  directory ??= packageDirectory(import.meta.dirname);
  return join(directory, path);
}

function packageDirectory(from: string): string {
  let at = from;
  while (!existsSync(join(at, "package.json"))) {
    // At the top the parent is the directory itself; what was looked for is told by whoever cannot read it.
    if (at === dirname(at)) return from;
    at = dirname(at);
  }
  return at;
}

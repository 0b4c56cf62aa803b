import { posix } from "node:path";
import { readCsync2Options } from "../../config/csync2-options.ts";
import { OperatorError } from "../../base/errors.ts";
import type { Csync2Action } from "../../config/resolved.ts";
import type { PathChange } from "../../model/changes.ts";

/** The kernel takes 2 MiB of arguments and environment as a rule, counting a pointer for each. */
const longestArguments = 512 * 1024;

/** The words before what csync2 is to do. Throws an OperatorError for options that would change that. */
export function csync2Words({ config, hostname, opts }: Csync2Action): string[] {
  const { complaint } = readCsync2Options(opts);
  if (complaint !== undefined) throw new OperatorError(`opts of csync2: ${complaint}`, { kind: "usage" });
  return [
    "csync2",
    ...(config === undefined ? [] : ["-C", config]),
    ...(hostname === undefined ? [] : ["-N", hostname]),
    ...opts,
  ];
}

/** The configuration file, as csync2 finds it. */
export function csync2File({ systemDir, config }: Pick<Csync2Action, "systemDir" | "config">): string {
  return posix.join(systemDir, config === undefined ? "csync2.cfg" : `csync2_${config}.cfg`);
}

/** One call of csync2: what it does, and the paths for it. */
export interface Csync2Call {
  readonly mode: readonly string[];
  readonly paths: readonly string[];
}

/** The look at everything: at what the action names, else at all that csync2 includes. */
export function completeCheck(paths: readonly string[]): Csync2Call[] {
  return inPieces(["-c", "-r"], paths.length === 0 ? ["/"] : paths);
}

/**
 * The look at what changed. csync2 sends no file whose directory it does not know (and says that all went well),
 * so the directories above come first, as far as they lie in `roots`. It looks below directories only when it is
 * told to; a removed one may have had files.
 */
export function checkOfChanges(changes: readonly PathChange[], roots: readonly string[]): Csync2Call[] {
  const single = changes.filter(({ kind }) => kind === "changed").map(({ path }) => path);
  const deep = changes.filter(({ kind }) => kind !== "changed").map(({ path }) => path);
  const above = changes.flatMap(({ path }) => directoriesAbove(path, roots));
  return [...inPieces(["-c"], sorted([...above, ...single])), ...inPieces(["-c", "-r"], sorted(deep))];
}

/** The same paths, compared by csync2 and told, and not marked. */
export function comparison({ mode, paths }: Csync2Call): string[] {
  return [...mode.map((word) => (word === "-c" ? "-o" : word)), "-vv", ...paths];
}

export function markCalls(paths: readonly string[]): Csync2Call[] {
  return inPieces(["-m"], paths);
}

function directoriesAbove(path: string, roots: readonly string[]): string[] {
  const above: string[] = [];
  for (let at = posix.dirname(path); isWithin(at, roots); at = posix.dirname(at)) {
    above.push(at);
    if (at === "/") break;
  }
  return above;
}

function isWithin(path: string, roots: readonly string[]): boolean {
  return roots.some((root) => path === root || path.startsWith(root === "/" ? "/" : `${root}/`));
}

function sorted(paths: readonly string[]): string[] {
  return [...new Set(paths)].toSorted();
}

/** As few calls as the length of an argument list allows; none for no paths. */
function inPieces(mode: readonly string[], paths: readonly string[]): Csync2Call[] {
  const calls: { mode: readonly string[]; paths: string[] }[] = [];
  let room = 0;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + 9;
    const last = calls.at(-1);
    if (last === undefined || size > room) {
      calls.push({ mode, paths: [path] });
      room = longestArguments - size;
    } else {
      last.paths.push(path);
      room -= size;
    }
  }
  return calls;
}

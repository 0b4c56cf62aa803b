import { parallelConflict } from "../base/parallel-conflicts.ts";
import { rsyncOptionNames } from "../base/rsync-words.ts";
import { meansContents } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { splitOpts } from "./rsync-opts.ts";
import type { RawRsyncBlock, RawSyncAction } from "./schema-sync.ts";

/** What must not stand beside `parallel`: with it the parts and the last rsync might not leave what one would. */
export function checkParallel(
  sync: Partial<RawSyncAction>,
  { path, directories, log }: { path: KeyPath; directories: "tree" | "level" | "skipped"; log: ProblemLog },
): void {
  const { parallel = 1, source, rsync = {}, opts = [] } = sync;
  if (parallel === 1) return;
  const error = (message: string) => log.error([...path, "parallel"], message);
  const [first, ...others] = [source ?? []].flat();
  if (others.length > 0) error("needs one source: make an action of each of them");
  else if (first !== undefined && !meansContents(first)) {
    error(
      `needs a source that ends in a slash: write source: ${first}/, and at the end of dest the name of the directory`,
    );
  }
  const { words } = splitOpts(opts);
  const block = wordsOfBlock(rsync);
  const inBlock = block.find(([, word]) => parallelConflict([word]) !== undefined);
  const all = [...block.map(([, word]) => word), ...words];
  const conflict = parallelConflict(inBlock === undefined ? all : [inBlock[1]]);
  if (conflict !== undefined) {
    const shown = inBlock === undefined ? conflict.shown : `rsync: {${inBlock[0]}}`;
    error(`cannot be used with ${shown}: ${conflict.why}; remove one of the two`);
  } else if (!log.isSound([...path, "opts"]) || !log.isSound([...path, "rsync"])) {
    return;
  } else if (directories !== "tree") {
    error("needs a sync that copies directories with all below: add rsync: {archive: true}, or -r to opts");
  } else if (!comparesTimes(all)) {
    error("needs times at dest, or everything is copied twice: add rsync: {archive: true}, or -t to opts");
  }
}

/** Only what is given and is an option of rsync, as words of its command line. */
function wordsOfBlock(block: RawRsyncBlock): [key: string, word: string][] {
  return Object.entries(block).flatMap(([key, value]): [string, string][] => {
    if (value === false || value === undefined || key === "recursion") return [];
    const name = `--${key.replaceAll("_", "-")}`;
    if (key === "delete") return [[key, value === true ? name : `${name}-${String(value)}`]];
    if (value === true) return [[key, name]];
    return [value].flat().map((one) => [key, `${name}=${String(one)}`]);
  });
}

function comparesTimes(words: readonly string[]): boolean {
  const names = rsyncOptionNames(words);
  return ["a", "archive", "t", "times", "size-only"].some((name) => names.has(name));
}

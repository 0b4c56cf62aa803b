import { basename } from "node:path";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { readCsync2Options } from "./csync2-options.ts";
import { splitOpts } from "./rsync-opts.ts";
import type { RawCsync2Action } from "./schema-sync.ts";

/** Rules about a csync2 action; `raw` are the keys that nothing is wrong with. */
export function checkCsync2(raw: Partial<RawCsync2Action>, path: KeyPath, log: ProblemLog): void {
  if (raw.config !== undefined && !/^[a-z0-9]+$/.test(raw.config)) {
    log.error([...path, "config"], "may only have small letters and digits: csync2 takes no other names");
  }
  if (raw.config_file !== undefined) {
    const name = /^csync2(?:_([a-z0-9]+))?\.cfg$/.exec(basename(raw.config_file));
    if (name === null) {
      log.error([...path, "config_file"], "must be called csync2.cfg or csync2_NAME.cfg: csync2 opens no other file");
    } else if (raw.config !== undefined) {
      log.error([...path, "config"], "is the NAME in config_file, which is given too: keep one", { at: "key" });
    }
  }
  const split = splitOpts(raw.opts ?? []);
  for (const { element, problem } of split.problems) log.error([...path, "opts", element], problem);
  const { complaint } = readCsync2Options(split.words);
  if (complaint !== undefined) log.error([...path, "opts"], complaint);
}

import { basename } from "node:path";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import { splitOpts } from "./rsync-opts.ts";
import type { RawCsync2Action } from "./schema-sync.ts";

/** Options that every call may have; what they take is in the same word or in the next. */
const takesNothing = "ABt";
const takesValue = "DGps";

/** What is a key of its own, or decided by the program. */
const decided: Readonly<Record<string, string>> = {
  C: "use config",
  N: "use hostname",
  P: "use peers",
  F: "it would overwrite what was changed on both sides",
  d: "use run --dry-run",
  v: "the program adds it where it needs it",
  r: "the program adds it where it needs it",
};

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
  const complaint = wrongCsync2Option(split.words);
  if (complaint !== undefined) log.error([...path, "opts"], complaint);
}

/** What csync2 would do otherwise than the program expects; undefined: nothing. */
export function wrongCsync2Option(words: readonly string[]): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (!/^-[A-Za-z]/.test(word)) return `${JSON.stringify(word)} is not an option of csync2; paths belong into path`;
    for (let at = 1; at < word.length; at += 1) {
      const letter = word.charAt(at);
      if (takesValue.includes(letter)) {
        if (at + 1 === word.length) index += 1;
        if (index >= words.length) return `-${letter} has no value`;
        break;
      }
      if (takesNothing.includes(letter)) continue;
      return `-${letter} cannot be used: ${decided[letter] ?? "only -A, -B, -D, -G, -p, -s and -t may be given"}`;
    }
  }
  return undefined;
}

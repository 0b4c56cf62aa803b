import { readRsyncWords } from "./rsync-words.ts";

const conflicts: Readonly<Record<string, string>> = {
  R: "paths at the destination would depend on how the source is written",
  relative: "paths at the destination would depend on how the source is written",
  "no-R": "directories above a changed file would not be made",
  "no-relative": "directories above a changed file would not be made",
  "no-implied-dirs": "directories above a changed file would not be made",
  "files-from": "the list of what is copied is made of what has changed",
  "delete-missing-args": "paths that are gone are deleted by watch: {delete: watch} alone",
};

/** An option that cannot be used where changed paths are sent one by one, and why. */
export function listTransferConflict(words: readonly string[]): { shown: string; why: string } | undefined {
  for (const word of readRsyncWords(words)) {
    if (word.kind !== "option") continue;
    const why = Object.hasOwn(conflicts, word.name) ? conflicts[word.name] : undefined;
    if (why !== undefined) return { shown: word.shown, why };
    if (word.value === "-" && word.name.endsWith("-from")) {
      return { shown: `${word.shown} -`, why: "standard input has the list of what has changed" };
    }
  }
  return undefined;
}

import { readRsyncWords } from "../base/rsync-words.ts";

const special = /[*?[]/;

/** A text as part of a pattern with wildcards: rsync takes a backslash for an escape only there. */
export function escapePattern(text: string): string {
  return text.replace(/[*?[\\]/g, "\\$&");
}

/** The pattern that names exactly this path. */
export function literalPattern(path: string): string {
  return special.test(path) ? escapePattern(path) : path;
}

/**
 * What a user's filter rules are like. `excludes`: they only leave out, so that further rules behind them only
 * narrow them down. `rules`: the first one that matches may also let in. `per-directory`: rules lie in the
 * directories, where rsync reads them only when it descends.
 */
export type FilterKind = "none" | "excludes" | "rules" | "per-directory";

const order: readonly FilterKind[] = ["none", "excludes", "rules", "per-directory"];

export function filterKind(words: readonly string[]): FilterKind {
  const kinds = readRsyncWords(words).map((word) =>
    word.kind === "option" ? kindOf(word.name, word.value ?? "") : "none",
  );
  return kinds.reduce((worst, kind) => (order.indexOf(kind) > order.indexOf(worst) ? kind : worst), "none");
}

/** Whether an option of this name says what is left out. */
export function isFilterOption(name: string): boolean {
  return kindOf(name, "") !== "none";
}

function kindOf(name: string, value: string): FilterKind {
  switch (name) {
    case "exclude":
      return /^[+-] |^!$/.test(value) ? "rules" : "excludes";
    case "include":
    case "include-from":
    case "exclude-from":
      return "rules";
    case "filter":
      if (/^(?:[-PH]|exclude|protect|hide)[ _]/.test(value)) return "excludes";
      return /^(?:[.:]|merge|dir-merge)/.test(value) ? "per-directory" : "rules";
    case "F":
    case "C":
    case "cvs-exclude":
      return "per-directory";
    default:
      return "none";
  }
}

import { groupRsyncWords, keepRsyncOptions, readRsyncWords, deletesAtDestination } from "../base/rsync-words.ts";
import { escapePattern, isFilterOption, literalPattern } from "./filter-patterns.ts";

/**
 * A path on rsync's standard input ends in a zero byte, so that every name can be there; one that begins like a
 * comment is taken for one all the same.
 */
export function listText(entries: readonly string[]): string {
  return entries.map((entry) => `${/^[#;]/.test(entry) ? "./" : ""}${entry}\0`).join("");
}

/**
 * The words after the user's for a call that copies the paths it reads. Paths that are gone by then are no error.
 * Directories come alone, with those above them; what is in them has to be named.
 */
export const listTransferWords: readonly string[] = [
  ...["--no-recursive", "--dirs", "--relative", "--ignore-missing-args"],
  ...["--files-from=-", "--from0"],
];

/** The user's words that are also right where single paths are copied: such a call deletes nothing. */
export function wordsOfListTransfer(words: readonly string[]): string[] {
  return keepRsyncOptions(words, (name) => !deletesAtDestination(name));
}

/**
 * The user's words for a call that deletes single paths. Filter rules stay only where they are `wanted`; when and
 * what is deleted, and what is descended into, is not theirs to say.
 */
export function wordsOfDeletion(words: readonly string[], wanted: "filters" | "no filters"): string[] {
  const ours = new Set([
    "m",
    "prune-empty-dirs",
    "d",
    "dirs",
    "del",
    "existing",
    "ignore-non-existing",
    "ignore-existing",
  ]);
  return keepRsyncOptions(words, (name) => {
    if (deletesAtDestination(name) || ours.has(name)) return false;
    return wanted === "filters" || !isFilterOption(name);
  });
}

/**
 * `--from0` would also change how files with patterns are read; their lines are given as words instead, which
 * mean the same (rsync(1), --exclude-from: blank lines and those that begin with ; or # are none).
 */
export async function inlinePatternFiles(
  words: readonly string[],
  readLines: (file: string) => Promise<readonly string[]>,
): Promise<string[]> {
  const inlined: string[] = [];
  for (const group of groupRsyncWords(words)) {
    const [option] = readRsyncWords(group);
    const name = option?.kind === "option" ? option.name : "";
    if (option?.kind !== "option" || (name !== "exclude-from" && name !== "include-from")) {
      inlined.push(...group);
      continue;
    }
    const lines = await readLines(option.value ?? "");
    const patterns = lines.filter((line) => line !== "" && !/^[;#]/.test(line));
    inlined.push(...patterns.map((line) => `--${name.slice(0, -"-from".length)}=${line}`));
  }
  return inlined;
}

/** Filter rules that leave of a tree nothing but some paths, all that is below them, and the way there. */
export interface DeletionRules {
  /** Words for what no line of a file can hold, and the last rule, which protects everything else. */
  readonly words: readonly string[];
  /** For rsync's standard input. */
  readonly text: string;
}

/**
 * The rules for a complete sync with `--delete` that deletes these paths and nothing else. With endings only files
 * that have one go, and directories that are empty then. `exact`: what is below a path stays unless it is named.
 */
export function deletionRules(
  paths: readonly string[],
  options: { extensions?: readonly string[]; exact?: boolean } = {},
): DeletionRules {
  const rules = new Set<string>();
  for (const path of paths) {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      rules.add(`/${literalPattern(path.slice(0, slash))}/`);
    }
    for (const rule of rulesFor(path, options)) rules.add(rule);
  }
  // A line ends at either of these in the files that rsync reads rules from.
  const asWord = (rule: string) => /[\n\r]/.test(rule);
  const all = [...rules];
  const lines = all.filter((rule) => !asWord(rule)).map((rule) => `+ ${rule}\n`);
  return {
    words: ["--filter=merge -", ...all.filter(asWord).map((rule) => `--include=${rule}`), "--exclude=*"],
    text: lines.join(""),
  };
}

function rulesFor(
  path: string,
  { extensions = [], exact = false }: { extensions?: readonly string[]; exact?: boolean },
): string[] {
  const itself = `/${literalPattern(path)}`;
  if (exact) return [itself];
  const below = `/${escapePattern(path)}`;
  if (extensions.length === 0) return [itself, `${below}/***`];
  const matches = extensions.some((ending) => path.endsWith(ending));
  return [
    matches ? itself : `${itself}/`,
    `${below}/**/`,
    ...extensions.map((ending) => `${below}/**${escapePattern(ending)}`),
  ];
}

/** The words after the user's for a call that deletes: what is there again is copied instead. */
export const deletionWords: readonly string[] = ["--recursive", "--delete-during", "--no-prune-empty-dirs"];

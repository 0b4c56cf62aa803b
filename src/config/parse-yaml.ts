import {
  type Alias,
  type Document,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  visit,
  type YAMLError,
} from "yaml";
import { coerceError } from "../base/errors.ts";
import { type Environment, interpolate } from "./interpolate.ts";
import type { ParsedFile, Positions } from "./positions.ts";
import type { ProblemLog } from "./problem-log.ts";
import { formatPath, type KeyPath, type Place } from "./problem.ts";

interface Source {
  file: string;
  text: string;
}

interface Context {
  log: ProblemLog;
  positions: Positions;
  /** undefined: variables are left as they are written. */
  env: Environment | undefined;
}

/** Tags that only say what plain YAML 1.2 would read anyway. */
const coreTags = new Set(
  ["str", "int", "float", "bool", "null", "map", "seq"].map((name) => `tag:yaml.org,2002:${name}`),
);

/**
 * Reads one YAML document: variables replaced, positions recorded. Problems go to the log; undefined
 * means that there is nothing to look at further.
 */
export function parseYaml(source: Source, context: Context): unknown {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  let document: Document.Parsed;
  try {
    // Version 1.2 even where a %YAML line says otherwise would be a lie; such a line is refused below.
    document = parseDocument(source.text, {
      lineCounter: lines,
      uniqueKeys: true,
      merge: true,
      prettyErrors: false,
      logLevel: "error",
    });
  } catch (error) {
    const reason = error instanceof RangeError ? "is nested too deeply" : coerceError(error).message;
    context.log.fileError(source.file, reason);
    return undefined;
  }
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== "1.2") {
    context.log.errorAt(placeAt(0), "", "only YAML 1.2 is read: remove the %YAML line");
    return undefined;
  }
  if (document.errors.length > 0) {
    reportSyntax(source, document.errors, placeAt, context.log);
    return undefined;
  }
  if (!tagsAreKnown(document, source, placeAt, context.log)) return undefined;
  const targets = readNodes(document, placeAt, context);
  if (targets === undefined) return undefined;
  return toPlain(document, { file: source.file, lines, targetOf: (alias) => targets.get(alias) }, context);
}

/**
 * Hundreds of jobs may have the same lines by an alias, with aliases in them. What yaml counts, and this bounds, is how
 * often something is repeated times how much is repeated in it: of ten aliases in ten aliases in ten… it is the product.
 */
const mostRepeats = 1_000_000;

function toPlain(document: Document.Parsed, source: ParsedFile, context: Context): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: mostRepeats });
    context.positions.record(document.contents, value, source);
    return value;
  } catch (error) {
    const { message } = coerceError(error);
    const reason = error instanceof RangeError ? "is nested too deeply" : lowerFirst(message);
    context.log.fileError(source.file, /alias count/i.test(message) ? "repeats anchors (&, *) too often" : reason);
    return undefined;
  }
}

/** Only the first error of a line is told: the others are the parser's attempts to go on. */
function reportSyntax(
  source: Source,
  errors: readonly YAMLError[],
  placeAt: (offset: number) => Place,
  log: ProblemLog,
): void {
  const sourceLines = source.text.split("\n");
  const seen = new Set<number>();
  for (const error of errors) {
    const place = placeAt(error.pos[0]);
    if (seen.has(place.line)) continue;
    seen.add(place.line);
    log.errorAt(place, "", describeSyntaxError(error, sourceLines[place.line - 1] ?? ""));
  }
}

const unquotedCron = /^\s*(?:-\s+)?(?:[\w-]+:\s+)?(\*(?:\/\d+)?(?:[ \t]+[\d*/,a-z-]+)*)[ \t]*(?:#.*)?$/i;

function describeSyntaxError(error: YAMLError, line: string): string {
  const cron = unquotedCron.exec(line)?.[1];
  if (cron !== undefined) return `a value that begins with * must be quoted: "${cron}"`;
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "indent with spaces: YAML does not allow tabs";
    case "DUPLICATE_KEY":
      return "this key is given twice in the same block";
    case "MULTIPLE_DOCS":
      return "a second document begins here (---): a configuration is one document";
    case "BAD_SCALAR_START":
      return `${lowerFirst(error.message)}: quote the value`;
    case "BLOCK_AS_IMPLICIT_KEY":
      return "a value that contains a colon and a space must be quoted";
    case "MULTILINE_IMPLICIT_KEY":
      return "this is not a key: a colon is missing, or the line is indented wrongly";
    case "MISSING_CHAR":
      if (error.message.includes("quote")) return "a quote that was opened before this is never closed";
      return `not YAML: ${lowerFirst(error.message)}`;
    default:
      return `not YAML: ${lowerFirst(error.message)}`;
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A tag that the parser does not know would only be ignored; one that it knows may make other things than data. */
function tagsAreKnown(
  document: Document.Parsed,
  { text }: Source,
  placeAt: (offset: number) => Place,
  log: ProblemLog,
): boolean {
  // Every tag is written with one.
  if (!text.includes("!")) return true;
  let known = true;
  const refuse = (offset: number, tag: string) => {
    known = false;
    log.errorAt(placeAt(offset), "", `the tag ${tag} is not supported: write the value without it`);
  };
  for (const warning of document.warnings) {
    if (warning.code === "TAG_RESOLVE_FAILED") refuse(warning.pos[0], warning.message.replace(/^.*: /, ""));
  }
  visit(document, {
    Node(_, node) {
      if (node.tag !== undefined && !coreTags.has(node.tag) && known) refuse(node.range?.[0] ?? 0, node.tag);
    },
  });
  return known;
}

type Targets = ReadonlyMap<Alias, unknown>;

/**
 * Looks at every alias and text of the document, and finds what the aliases stand for: to ask each of them would mean
 * to go through the whole document each time. undefined: it cannot be turned into a value.
 */
function readNodes(
  document: Document.Parsed,
  placeAt: (offset: number) => Place,
  context: Context,
): Targets | undefined {
  const { log } = context;
  const targets = new Map<Alias, unknown>();
  /** An anchor that is given again means what follows from there on. */
  const anchored = new Map<string, unknown>();
  let usable = true;
  visit(document, {
    Alias(_, alias) {
      const target = anchored.get(alias.source);
      if (target !== undefined) return void targets.set(alias, target);
      usable = false;
      const place = placeAt(alias.range?.[0] ?? 0);
      const hint = /^[/\d,]|^$/.test(alias.source)
        ? "a value that begins with * must be quoted"
        : "there is no such anchor before this";
      log.errorAt(place, "", `*${alias.source}: ${hint}`);
    },
    Collection(_, collection) {
      if (collection.anchor !== undefined) anchored.set(collection.anchor, collection);
    },
    Scalar(key, scalar, ancestors) {
      if (scalar.anchor !== undefined) anchored.set(scalar.anchor, scalar);
      if (key === "key" || !mayNeedAttention(scalar)) return;
      readScalar(scalar, {
        place: () => placeAt(scalar.range?.[0] ?? 0),
        path: () => pathOf([...ancestors, scalar]),
        ...context,
      });
    },
  });
  return usable ? targets : undefined;
}

/** Most texts are neither variables nor spelled like something else. */
function mayNeedAttention(scalar: Scalar): boolean {
  const source = scalar.source ?? "";
  return source.includes("${") || (scalar.type === "PLAIN" && /^(?:[-+]?\d|yes$|no$|on$|off$)/i.test(source));
}

/** The path of the last of `nodes`, which begin with the document. */
function pathOf(nodes: readonly unknown[]): KeyPath {
  return nodes.flatMap((node, index): KeyPath => {
    if (isPair(node)) return isScalar(node.key) ? [String(node.key.value)] : [];
    return isSeq(node) ? [node.items.indexOf(nodes[index + 1])] : [];
  });
}

/** A text of the document; where it stands takes long to find, and is for messages only. */
type ScalarContext = Context & { place: () => Place; path: () => KeyPath };

function readScalar(scalar: Scalar, context: ScalarContext): void {
  const plain = scalar.type === "PLAIN";
  if (plain) warnOfOldSpelling(scalar, context);
  if (context.env === undefined || typeof scalar.value !== "string" || !scalar.value.includes("${")) return;
  const result = interpolate(scalar.value, context.env);
  if ("problem" in result)
    context.log.errorAt(context.place(), formatPath(context.path()), result.problem, { blame: true });
  else scalar.value = plain ? readPlain(result.text) : result.text;
}

/** An unquoted `${PORT}` may stand for a number or a truth value, as if it had been written out. */
function readPlain(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  return text !== "" && String(Number(text)) === text && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Options of ssh are texts, yes and no among them; these keys take off, and not false. */
function takesText(path: KeyPath, source: string): boolean {
  return path.includes("options") || (source === "off" && /(?:^|\.)(?:hold|watch\.delete)$/.test(formatPath(path)));
}

/** What the Python original (YAML 1.1) read differently. */
function warnOfOldSpelling(scalar: Scalar, context: ScalarContext): void {
  const { log, place, path } = context;
  const source = scalar.source ?? "";
  const warn = (message: string) => log.warningAt(place(), formatPath(path()), message);
  if (/^(?:yes|no|on|off)$/i.test(source) && !takesText(path(), source)) {
    warn(
      `${source} is a text in YAML 1.2: write ${/^(?:yes|on)$/i.test(source) ? "true" : "false"}, or quote it if the text is meant`,
    );
  } else if (/^[-+]?0[0-7]+$/.test(source) && typeof scalar.value === "number") {
    warn(
      `${source} is the number ${scalar.value} (YAML 1.1 read it as octal): quote it, or write it without the leading zero`,
    );
  } else if (/^[-+]?\d+(?::[0-5]?\d)+$/.test(source)) {
    warn(`${source} is a text (YAML 1.1 read it as a number of base 60): quote it`);
  } else if (/^[-+]?\d[\d_]*_[\d_]*$/.test(source)) {
    warn(`${source} is a text in YAML 1.2: write the number without _`);
  }
}

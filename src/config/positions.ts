import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { KeyPath, Place } from "./problem.ts";

/** The file that a document was read from. */
export interface ParsedFile {
  readonly file: string;
  readonly lines: LineCounter;
  /** What an alias of the document stands for. */
  readonly targetOf: (alias: Alias) => unknown;
}

type Keys = Map<string | number, { readonly key: Place; readonly value: Place }>;

/** Places are worked out when somebody asks for them: most configurations have nothing to complain about. */
interface Origin {
  self(): Place;
  keys(): Keys;
}

/**
 * Remembers where in which file each object, list and value stood. The memory hangs on the objects
 * themselves, so it survives that files are merged and older formats are upgraded.
 */
export class Positions {
  readonly #origins = new WeakMap<object, Origin>();
  readonly #ownIndexes = new WeakMap<object, number>();

  /** Takes in the content of a parsed document and the plain value that was made of it. */
  record(contents: unknown, value: unknown, source: ParsedFile): void {
    new Recorder(source, this.#origins).record(contents, value);
  }

  /** The nearest known place of a value (or of its key); undefined if not even the root is known. */
  find(root: unknown, path: KeyPath, at: "key" | "value" = "value"): Place | undefined {
    let place = isObject(root) ? this.#origins.get(root)?.self() : undefined;
    let value = root;
    for (const [index, part] of path.entries()) {
      if (!isObject(value)) return place;
      const entry = this.#origins.get(value)?.keys().get(part);
      const last = index === path.length - 1;
      place = (last && at === "key" ? entry?.key : entry?.value) ?? place;
      value = childOf(value, part);
      // A value that an upgrade has moved still knows its own place.
      if (entry === undefined && isObject(value)) place = this.#origins.get(value)?.self() ?? place;
    }
    return place;
  }

  /** Puts one key's place under another name: the key was renamed. */
  rename(object: object, from: string, to: string): void {
    const keys = this.#origins.get(object)?.keys();
    const entry = keys?.get(from);
    if (entry !== undefined) keys?.set(to, entry);
  }

  /** Gives a new object the places of those it was made from; the first that knows a key counts. */
  inherit(object: object, sources: readonly unknown[]): void {
    const origins = sources.flatMap((source) => (isObject(source) ? (this.#origins.get(source) ?? []) : []));
    const [first] = origins;
    if (first === undefined) return;
    const keys: Keys = new Map();
    for (const origin of origins.toReversed()) for (const [key, places] of origin.keys()) keys.set(key, places);
    this.#origins.set(object, { self: () => first.self(), keys: () => keys });
  }

  /** Adds the elements of a list to another list, each keeping its place and its own file's index. */
  append(target: unknown[], source: readonly unknown[]): void {
    const targetKeys = this.#originOf(target, source).keys();
    const sourceKeys = this.#origins.get(source)?.keys();
    for (const [index, element] of source.entries()) {
      const entry = sourceKeys?.get(index);
      if (entry !== undefined) targetKeys.set(target.length, entry);
      if (isObject(element)) this.#ownIndexes.set(element, index);
      target.push(element);
    }
  }

  /** The path as the author of the file would count it: an included file's jobs begin at 0. */
  asWritten(root: unknown, path: KeyPath): KeyPath {
    let value = root;
    return path.map((part) => {
      value = isObject(value) ? childOf(value, part) : undefined;
      if (typeof part === "number" && isObject(value)) return this.#ownIndexes.get(value) ?? part;
      return part;
    });
  }

  #originOf(target: object, similar: object): Origin {
    const known = this.#origins.get(target);
    if (known !== undefined) return known;
    const self = this.#origins.get(similar)?.self() ?? { file: "", line: 1, column: 1 };
    const keys: Keys = new Map();
    const origin: Origin = { self: () => self, keys: () => keys };
    this.#origins.set(target, origin);
    return origin;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function childOf(value: object, part: string | number): unknown {
  return Object.getOwnPropertyDescriptor(value, part)?.value as unknown;
}

/** The text that a key which is not a text becomes in the plain value: `1` is "1", nothing is "". */
function keyText(key: Scalar): string {
  return key.value === null ? "" : JSON.stringify(key.value);
}

/** One element of a list, or one key of a block. */
interface Entry {
  readonly part: string | number;
  readonly key: unknown;
  readonly child: unknown;
}

function* itemsOf(list: YAMLSeq): Generator<Entry, undefined> {
  for (const [index, item] of list.items.entries()) yield { part: index, key: item, child: item };
}

class Recorder {
  readonly #source: ParsedFile;
  readonly #origins: WeakMap<object, Origin>;

  constructor(source: ParsedFile, origins: WeakMap<object, Origin>) {
    this.#source = source;
    this.#origins = origins;
  }

  record(node: unknown, value: unknown): void {
    const target = this.#resolve(node);
    if (!isObject(value) || this.#origins.has(value) || !(isMap(target) || isSeq(target))) return;
    const areMerged = !Object.hasOwn(value, "<<");
    const entries = () => (isSeq(target) ? itemsOf(target) : this.#pairsOf(target, areMerged));
    let keys: Keys | undefined;
    this.#origins.set(value, {
      self: () => this.#placeOf(target),
      keys: () => (keys ??= this.#keysOf(entries())),
    });
    for (const { part, child } of entries()) this.record(child, childOf(value, part));
  }

  /** The first of several entries of one name is what counts. */
  #keysOf(entries: Iterable<Entry>): Keys {
    const keys: Keys = new Map();
    for (const { part, key, child } of entries) {
      if (keys.has(part)) continue;
      const place = this.#placeOf(key);
      keys.set(part, { key: place, value: isScalar(child) && child.value === null ? place : this.#placeOf(child) });
    }
    return keys;
  }

  /** Its own pairs, then those that it takes from others with `<<`. */
  *#pairsOf(map: YAMLMap, areMerged: boolean): Generator<Entry, undefined> {
    const merged: unknown[] = [];
    for (const { key, value: child } of map.items) {
      if (!isScalar(key)) continue;
      const part = typeof key.value === "string" ? key.value : keyText(key);
      if (part === "<<" && areMerged) merged.push(child);
      else yield { part, key, child };
    }
    for (const child of merged) {
      const target = this.#resolve(child);
      const sources = isSeq(target) ? target.items.map((item) => this.#resolve(item)) : [target];
      for (const source of sources) if (isMap(source)) yield* this.#pairsOf(source, areMerged);
    }
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? this.#source.targetOf(node) : node;
  }

  #placeOf(node: unknown): Place {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    const { line, col } = this.#source.lines.linePos(offset);
    return { file: this.#source.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

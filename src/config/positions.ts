import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap,
} from "yaml";
import type { KeyPath, Place } from "./problem.ts";

interface Origin {
  self: Place;
  keys: Map<string | number, { key: Place; value: Place }>;
}

/**
 * Remembers where in which file each object, list and value stood. The memory hangs on the objects
 * themselves, so it survives that files are merged and older formats are upgraded.
 */
export class Positions {
  readonly #origins = new WeakMap<object, Origin>();
  readonly #ownIndexes = new WeakMap<object, number>();

  /** Takes in a parsed document and the plain value that was made of it. */
  record(document: Document, value: unknown, source: { file: string; lines: LineCounter }): void {
    new Recorder(document, source, this.#origins).record(document.contents, value);
  }

  /** The nearest known place of a value (or of its key); undefined if not even the root is known. */
  find(root: unknown, path: KeyPath, at: "key" | "value" = "value"): Place | undefined {
    let place = isObject(root) ? this.#origins.get(root)?.self : undefined;
    let value = root;
    for (const [index, part] of path.entries()) {
      if (!isObject(value)) return place;
      const entry = this.#origins.get(value)?.keys.get(part);
      const last = index === path.length - 1;
      place = (last && at === "key" ? entry?.key : entry?.value) ?? place;
      value = childOf(value, part);
      // A value that an upgrade has moved still knows its own place.
      if (entry === undefined && isObject(value)) place = this.#origins.get(value)?.self ?? place;
    }
    return place;
  }

  /** Puts one key's place under another name: the key was renamed. */
  rename(object: object, from: string, to: string): void {
    const keys = this.#origins.get(object)?.keys;
    const entry = keys?.get(from);
    if (entry !== undefined) keys?.set(to, entry);
  }

  /** Gives a new object the places of those it was made from; the first that knows a key counts. */
  inherit(object: object, sources: readonly unknown[]): void {
    const origins = sources.flatMap((source) => (isObject(source) ? (this.#origins.get(source) ?? []) : []));
    const [first] = origins;
    if (first === undefined) return;
    const keys: Origin["keys"] = new Map();
    for (const origin of origins.toReversed()) for (const [key, places] of origin.keys) keys.set(key, places);
    this.#origins.set(object, { self: first.self, keys });
  }

  /** Adds the elements of a list to another list, each keeping its place and its own file's index. */
  append(target: unknown[], source: readonly unknown[]): void {
    const targetKeys = this.#originOf(target, source).keys;
    for (const [index, element] of source.entries()) {
      const entry = this.#origins.get(source)?.keys.get(index);
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
    const self = this.#origins.get(similar)?.self ?? { file: "", line: 1, column: 1 };
    const origin: Origin = { self, keys: new Map() };
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

class Recorder {
  readonly #document: Document;
  readonly #source: { file: string; lines: LineCounter };
  readonly #origins: WeakMap<object, Origin>;

  constructor(document: Document, source: { file: string; lines: LineCounter }, origins: WeakMap<object, Origin>) {
    this.#document = document;
    this.#source = source;
    this.#origins = origins;
  }

  record(node: unknown, value: unknown): void {
    const target = this.#resolve(node);
    if (!isObject(value) || this.#origins.has(value) || !(isMap(target) || isSeq(target))) return;
    const origin: Origin = { self: this.#placeOf(target), keys: new Map() };
    this.#origins.set(value, origin);
    if (isSeq(target)) {
      for (const [index, item] of target.items.entries()) this.#recordEntry(origin, value, index, item, item);
    } else {
      this.#recordPairs(origin, value, target);
    }
  }

  #recordPairs(origin: Origin, value: object, map: YAMLMap): void {
    const merged: unknown[] = [];
    for (const { key, value: child } of map.items) {
      if (!isScalar(key)) continue;
      const name = typeof key.value === "string" ? key.value : keyText(key);
      if (name === "<<" && !Object.hasOwn(value, "<<")) merged.push(child);
      else if (!origin.keys.has(name)) this.#recordEntry(origin, value, name, key, child);
    }
    for (const child of merged) {
      const target = this.#resolve(child);
      const sources = isSeq(target) ? target.items.map((item) => this.#resolve(item)) : [target];
      for (const source of sources) if (isMap(source)) this.#recordPairs(origin, value, source);
    }
  }

  #recordEntry(origin: Origin, value: object, part: string | number, key: unknown, child: unknown): void {
    const keyPlace = this.#placeOf(key);
    origin.keys.set(part, {
      key: keyPlace,
      value: isScalar(child) && child.value === null ? keyPlace : this.#placeOf(child),
    });
    this.record(child, childOf(value, part));
  }

  #resolve(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #placeOf(node: unknown): Place {
    const offset = (node as Node | null)?.range?.[0] ?? 0;
    const { line, col } = this.#source.lines.linePos(offset);
    return { file: this.#source.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

import type { ItemizedChange } from "../model/transfer.ts";
import { decodeListedName } from "./list-source.ts";

const changeLine = /^([<>ch.])([fdLDS])([cstTpogunabx+.? ]{7,9}) (.+)$/s;
/** The flags are padded to eleven characters; what else is in front belongs to the name. */
const deletionLine = /^\*deleting(?: {3}| +)(.+)$/s;

const operations = { "<": "sent", ">": "received", c: "created", h: "linked", ".": "attributes" } as const;
const kinds = { f: "file", d: "directory", L: "symlink", D: "device", S: "special" } as const;
const attributes: Readonly<Record<string, ItemizedChange["differs"][number]>> = {
  c: "checksum",
  s: "size",
  t: "time",
  T: "time",
  p: "permissions",
  o: "owner",
  g: "group",
  a: "acl",
  x: "xattr",
};

/**
 * Reads one line of `--itemize-changes` (rsync(1), same option), or returns undefined for any other
 * text. rsync does not escape " -> " and " => " in names: of several the first one divides.
 */
export function parseItemizedChange(line: string): ItemizedChange | undefined {
  const deleted = deletionLine.exec(line)?.[1];
  if (deleted !== undefined) {
    const kind = deleted.endsWith("/") ? "directory" : "unknown";
    return { operation: "deleted", kind, path: readPath(deleted), linkTarget: null, isNew: false, differs: [] };
  }
  const match = changeLine.exec(line);
  if (match === null) return undefined;
  const [, operation, kind, flags, rest] = match as unknown as [
    string,
    keyof typeof operations,
    keyof typeof kinds,
    string,
    string,
  ];
  const [path, target] = splitLink(rest, operation === "h" ? " => " : kind === "L" ? " -> " : undefined);
  return {
    operation: operations[operation],
    kind: kinds[kind],
    path: readPath(path),
    linkTarget: target === undefined ? null : readPath(target),
    isNew: flags.startsWith("+"),
    differs: [...flags].map((flag) => attributes[flag]).filter((name) => name !== undefined),
  };
}

function splitLink(text: string, arrow: string | undefined): [path: string, target: string | undefined] {
  const at = arrow === undefined ? -1 : text.indexOf(arrow);
  return at === -1 || arrow === undefined ? [text, undefined] : [text.slice(0, at), text.slice(at + arrow.length)];
}

/** A path as rsync prints it. Directories lose their slash; bytes that are no UTF-8 keep rsync's escape, for no string can hold them. */
export function readPath(text: string): string {
  const path = text.length > 1 && text.endsWith("/") ? text.slice(0, -1) : text;
  return decodeListedName(path);
}

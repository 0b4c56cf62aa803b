import { posix } from "node:path";
import { OperatorError } from "../base/errors.ts";
import type { PublicKey } from "./public-key.ts";

/** What a key may do on the host that lets it in; everything else is refused. */
export interface GateRights {
  /** Directories that rsync may read. */
  readonly readOnly: readonly string[];
  /** Directories that rsync may write into; not the same as reading them. */
  readonly write: readonly string[];
  /** Directories with lock files. */
  readonly locks: readonly string[];
  /** Whether rsync may delete. */
  readonly deletes: boolean;
  /** Store symbolic links so that they lead somewhere: whoever pushes can then follow his own out of the directory. */
  readonly plainLinks: boolean;
}

/** The words of resources/gate.sh. */
export function gateWords(rights: GateRights): string[] {
  checkRights(rights);
  const each = (option: string, paths: readonly string[]) => paths.flatMap((path) => [option, posix.normalize(path)]);
  return [
    ...each("--read-only", rights.readOnly),
    ...each("--write", rights.write),
    ...each("--locks", rights.locks),
    ...(rights.deletes ? [] : ["--no-delete"]),
    ...(rights.plainLinks ? ["--plain-links"] : []),
  ];
}

/**
 * The line of authorized_keys: no terminal, no forwarding, no ~/.ssh/rc, and one program, which is started by whatever
 * shell the account has. Throws an OperatorError for rights that contradict each other and for paths that a shell
 * could read differently.
 */
export function gateLine(key: PublicKey, rights: GateRights, gate: string): string {
  checkPath(gate, "the gate");
  const command = ["/bin/sh", gate, ...gateWords(rights)].join(" ");
  return `restrict,command="${command}" ${key.type} ${key.blob}${key.comment === "" ? "" : ` ${key.comment}`}`;
}

function checkRights({ readOnly, write, locks }: GateRights): void {
  if (readOnly.length + write.length + locks.length === 0) {
    throw new OperatorError("a key that may do nothing: give --read-only, --write or --locks", { kind: "usage" });
  }
  for (const path of [...readOnly, ...write, ...locks]) checkPath(path, "a directory");
  for (const path of [...write, ...locks]) {
    if (tidy(path) === "/") throw new OperatorError("/ would be everything: name a directory", { kind: "usage" });
  }
  const clash = locks.find((lock) => write.some((directory) => isWithin(lock, directory) || isWithin(directory, lock)));
  if (clash !== undefined) {
    const why = "whoever may write there with rsync could free the locks of others";
    throw new OperatorError(`${clash} holds locks and would be written into: ${why}`, { kind: "usage" });
  }
}

function checkPath(path: string, what: string): void {
  if (/^\/[A-Za-z0-9._/+@%=:,-]*$/.test(path) && !path.split("/").includes("..")) return;
  const wanted = "an absolute path of letters, digits and ._/+@%=:,- without .. is wanted";
  throw new OperatorError(`${JSON.stringify(path)} cannot be ${what}: ${wanted}`, { kind: "usage" });
}

function isWithin(path: string, directory: string): boolean {
  return `${tidy(path)}/`.startsWith(`${tidy(directory)}/`);
}

function tidy(path: string): string {
  const normal = posix.normalize(path);
  return normal === "/" ? normal : normal.replace(/\/$/, "");
}

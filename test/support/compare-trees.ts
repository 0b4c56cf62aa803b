import { type BigIntStats, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

export interface TreeRules {
  /** Whose modification times have to be the same; in whole seconds, as rsync compares them unless told otherwise. */
  readonly mtimes?: "none" | "files" | "all";
  /** The right tree may have more: nothing was to be deleted there. */
  readonly rightMayHaveMore?: boolean;
  /** Paths below the root, as their bytes in latin1, that are left out with everything below them. */
  readonly except?: (path: string) => boolean;
}

interface Entry {
  readonly kind: string;
  readonly stats: BigIntStats;
}

/** So many are told; a tree that was not copied at all would fill the screen. */
const told = 20;

/**
 * Every difference between two trees, one line each: names, types, modes, owners, contents, targets of links, and
 * times where asked. It knows nothing of rsync and trusts no times. Names are compared as bytes.
 */
export function compareTrees(left: string, right: string, rules: TreeRules = {}): string[] {
  const [ours, theirs] = [listTree(left, rules), listTree(right, rules)];
  const differences: string[] = [];
  for (const [path, entry] of ours) {
    const other = theirs.get(path);
    if (other === undefined) differences.push(`${show(path)}: ${entry.kind} is missing on the right`);
    else differences.push(...compareEntries({ path, left, right }, [entry, other], rules).map(inFront(path)));
  }
  if (rules.rightMayHaveMore !== true) {
    for (const [path, { kind }] of theirs) {
      if (!ours.has(path)) differences.push(`${show(path)}: ${kind} is only on the right`);
    }
  }
  if (differences.length <= told) return differences;
  return [...differences.slice(0, told), `… and ${differences.length - told} more`];
}

/** Compares again and again until the trees are equal; rejects with the differences when the time is up. */
export async function untilTreesEqual(
  left: string,
  right: string,
  { timeoutMs = 60_000, ...rules }: TreeRules & { readonly timeoutMs?: number } = {},
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const differences = compareTrees(left, right, rules);
    if (differences.length === 0) return;
    if (performance.now() > end) {
      throw new Error(`${left} and ${right} differ after ${timeoutMs} ms:\n${differences.join("\n")}`);
    }
    await wait(200);
  }
}

function inFront(path: string): (difference: string) => string {
  return (difference) => `${show(path)}: ${difference}`;
}

function compareEntries(
  at: { path: string; left: string; right: string },
  [ours, theirs]: readonly [Entry, Entry],
  { mtimes = "none" }: TreeRules,
): string[] {
  if (ours.kind !== theirs.kind) return [`${ours.kind} on the left, ${theirs.kind} on the right`];
  const differences: string[] = [];
  const differ = (what: string, [here, there]: readonly [unknown, unknown]) => {
    if (here !== there) differences.push(`${what} ${String(here)} on the left, ${String(there)} on the right`);
  };
  const [a, b] = [ours.stats, theirs.stats];
  if (ours.kind !== "symlink") differ("mode", [modeOf(a), modeOf(b)]);
  differ("owner", [`${a.uid}:${a.gid}`, `${b.uid}:${b.gid}`]);
  if (ours.kind === "symlink") differ("target", [targetOf(at.left, at.path), targetOf(at.right, at.path)]);
  if (ours.kind === "file") differences.push(...compareContents(at, [a, b]));
  if (mtimes === "all" || (mtimes === "files" && ours.kind === "file")) {
    differ("mtime", [timeOf(a), timeOf(b)]);
  }
  return differences;
}

function compareContents(
  { path, left, right }: { path: string; left: string; right: string },
  [a, b]: readonly [BigIntStats, BigIntStats],
): string[] {
  if (a.size !== b.size) return [`size ${a.size} on the left, ${b.size} on the right`];
  const [ours, theirs] = [readIfThere(left, path), readIfThere(right, path)];
  if (ours === undefined || theirs === undefined) return ["went away while it was compared"];
  if (ours.equals(theirs)) return [];
  const at = ours.findIndex((byte, index) => byte !== theirs[index]);
  return [`same size (${ours.length}), contents differ from byte ${at} on`];
}

/** Everything below a directory, without itself, by its path below it. */
function listTree(root: string, { except = () => false }: TreeRules): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const walk = (below: string) => {
    for (const name of namesIn(root, below)) {
      const path = below === "" ? name : `${below}/${name}`;
      if (except(path)) continue;
      const stats = ifThere(() => lstatSync(bytes(root, path), { bigint: true }));
      if (stats === undefined) continue;
      const kind = kindOf(stats);
      entries.set(path, { kind, stats });
      if (kind === "directory") walk(path);
    }
  };
  walk("");
  return entries;
}

function namesIn(root: string, below: string): string[] {
  const names = ifThere(() => readdirSync(bytes(root, below), { encoding: "buffer" })) ?? [];
  return names.map((name) => name.toString("latin1")).toSorted();
}

function readIfThere(root: string, path: string): Buffer | undefined {
  return ifThere(() => readFileSync(bytes(root, path)));
}

function targetOf(root: string, path: string): string {
  return ifThere(() => readlinkSync(bytes(root, path), { encoding: "buffer" }))?.toString("latin1") ?? "nothing";
}

/** What somebody takes away while it is looked at is not there; anything else is for whoever asked. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** Names need not be UTF-8; as latin1 each byte is one character. */
function bytes(root: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, "latin1")]);
}

function show(path: string): string {
  const text = Buffer.from(path, "latin1").toString("utf8");
  return JSON.stringify(text).slice(1, -1);
}

function modeOf({ mode }: BigIntStats): string {
  return (mode & 0o7777n).toString(8).padStart(4, "0");
}

function timeOf({ mtimeNs }: BigIntStats): string {
  return String(mtimeNs / 1_000_000_000n);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isFIFO()) return "fifo";
  return stats.isSocket() ? "socket" : "device";
}

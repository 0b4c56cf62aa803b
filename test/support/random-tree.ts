import { lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ChangeKind } from "../../src/model/changes.ts";

const names = ["a", "b", "c d", "-e", "f.tmp", "skip", "n\nl", "[x]*", "#y", "z\\"];

/** The files of a tree with their contents; directories only through what is in them. */
export type Files = Map<string, string>;

/** A tree on disk that changes at random and notes what a watcher would tell: the last kind of change of each path. */
export function createRandomTree(root: string, random: () => number) {
  const told = new Map<string, ChangeKind>();
  const pick = <Value>(from: readonly Value[]): Value => from[Math.floor(random() * from.length)] as Value;
  const randomPath = () => Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(names)).join("/");
  const kindOf = (path: string) => {
    try {
      return lstatSync(join(root, path)).isDirectory() ? "directory" : "file";
    } catch {
      return undefined;
    }
  };
  const existing = (): string[] => readdirSync(root, { recursive: true, encoding: "utf8" }).map(String);
  let number = 0;

  /** Gives way first to what stands in the place of a directory that is needed. */
  const makeRoom = (path: string) => {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length += 1) {
      const above = parts.slice(0, length).join("/");
      if (kindOf(above) === "file") remove(above, true);
      if (kindOf(above) === undefined) {
        mkdirSync(join(root, above));
        told.set(above, "tree");
      }
    }
  };
  const write = (path: string) => {
    makeRoom(path);
    if (kindOf(path) === "directory") remove(path, true);
    writeFileSync(join(root, path), `${number++}`);
    told.set(path, "changed");
  };
  /** `inside`: each file is removed by itself, and told. Otherwise the directory is moved away as a whole. */
  const remove = (path: string, inside: boolean) => {
    if (kindOf(path) === "directory" && inside) {
      for (const name of readdirSync(join(root, path))) remove(`${path}/${name}`, true);
    }
    rmSync(join(root, path), { recursive: true });
    told.set(path, "deleted");
  };
  const move = (from: string, to: string) => {
    if (kindOf(from) === undefined || kindOf(to) !== undefined || `${to}/`.startsWith(`${from}/`)) return;
    makeRoom(to);
    if (kindOf(from) === undefined) return;
    const isDirectory = kindOf(from) === "directory";
    mkdirSync(dirname(join(root, to)), { recursive: true });
    renameSync(join(root, from), join(root, to));
    told.set(from, "deleted");
    told.set(to, isDirectory ? "tree" : "changed");
  };
  return {
    told,
    kindOf,
    step: () => {
      const all = existing();
      const what = random();
      if (what < 0.5 || all.length === 0) write(randomPath());
      else if (what < 0.65) {
        const path = pick(all);
        if (kindOf(path) === "file") write(path);
      } else if (what < 0.85) remove(pick(all), random() < 0.5);
      else move(pick(all), randomPath());
    },
    files: () => filesBelow(root),
  };
}

export function filesBelow(root: string): Files {
  const found: Files = new Map();
  const walk = (below: string) => {
    for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else found.set(path, readFileSync(join(root, path), "utf8"));
    }
  };
  walk("");
  return found;
}

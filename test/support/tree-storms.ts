import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { checkOutInTurns } from "./storm-repository.ts";

export interface StormPlace {
  /** The directory that is watched; it is there. */
  readonly tree: string;
  /** A directory on the same file system that nobody watches, for what is moved in and out. */
  readonly aside: string;
}

/** Does much to the tree at once, and resolves when it is done. `random` gives numbers in [0, 1). */
export type Storm = (place: StormPlace, random: () => number) => Promise<void>;

/** Files of 1 to 4 KB, spread evenly over directories below `root`; resolves to their paths below it. */
export async function writeSmallFiles(
  root: string,
  count: { readonly files: number; readonly directories: number },
  random: () => number,
): Promise<string[]> {
  const paths: string[] = [];
  for (let directory = 0; directory < count.directories; directory += 1) {
    await mkdir(join(root, `d${directory}`), { recursive: true });
  }
  for (let file = 0; file < count.files; file += 1) {
    const path = `d${file % count.directories}/f${file}`;
    await writeFile(join(root, path), smallContent(random));
    paths.push(path);
  }
  return paths;
}

function smallContent(random: () => number): Buffer {
  const content = Buffer.alloc(1024 + Math.floor(random() * 3072), Math.floor(random() * 256));
  content.writeDoubleLE(random());
  return content;
}

/** Chains of directories that are made faster than anybody can watch them, with a file at the end of each. */
export const makeDirectoryChains: Storm = async ({ tree }, random) => {
  for (let chain = 0; chain < 30; chain += 1) {
    const depth = 5 + Math.floor(random() * 30);
    const path = join(tree, `chain${chain}`, ...Array.from({ length: depth }, (_, level) => `level${level}`));
    await execa("mkdir", ["-p", path]);
    await writeFile(join(path, "end"), smallContent(random));
  }
};

/** `cp -r` of a tree of that size into the watched one. */
export function copyTree(count: { readonly files: number; readonly directories: number }): Storm {
  return async ({ tree, aside }, random) => {
    const original = join(aside, "original");
    await rm(original, { recursive: true, force: true });
    await writeSmallFiles(original, count, random);
    await execa("cp", ["-r", original, join(tree, "copied")]);
  };
}

/** Whole trees come from elsewhere, go elsewhere, change places, and go out and come back changed. */
export const moveTreesInAndOut: Storm = async ({ tree, aside }, random) => {
  const count = { files: 60, directories: 6 };
  for (let round = 0; round < 10; round += 1) {
    const comes = join(aside, `comes${round}`);
    await writeSmallFiles(join(comes, "inner"), count, random);
    await rename(comes, join(tree, `came${round}`));
    await writeFile(join(tree, `came${round}/inner/d0/after`), smallContent(random));
  }
  for (let round = 0; round < 5; round += 1) await rename(join(tree, `came${round}`), join(aside, `left${round}`));
  await rename(join(tree, "came5"), join(tree, "moved5"));
  await rename(join(tree, "moved5/inner"), join(tree, "came6/inner/from5"));
  await rename(join(tree, "came7"), join(aside, "for-a-moment"));
  await writeFile(join(aside, "for-a-moment/inner/d1/elsewhere"), smallContent(random));
  await rename(join(aside, "for-a-moment"), join(tree, "came7"));
};

/** Saves as editors save: a new file beside the old one, renamed over it; several times each. */
export const renameOver: Storm = async ({ tree }, random) => {
  for (let round = 0; round < 5; round += 1) {
    for (let file = 0; file < 100; file += 1) {
      const path = join(tree, `saved${file}`);
      await writeFile(`${path}.tmp`, smallContent(random));
      await rename(`${path}.tmp`, path);
    }
  }
};

/** The same names again and again, as files and as directories; a third is gone in the end. */
export const deleteAndRecreate: Storm = async ({ tree }, random) => {
  for (let round = 0; round < 6; round += 1) {
    for (let name = 0; name < 40; name += 1) {
      const path = join(tree, `phoenix${name}`);
      await rm(path, { recursive: true, force: true });
      if (round === 5 && name % 3 === 0) continue;
      if ((round + name) % 2 === 0) await writeFile(path, smallContent(random));
      else await writeSmallFiles(join(path, "nested"), { files: 4, directories: 2 }, random);
    }
  }
};

/** A clone of a repository with a history, and check-outs of its two versions in turns. */
export const checkOutVersions: Storm = ({ tree, aside }, random) => checkOutInTurns({ tree, aside }, random);

/** A tree of sources from an archive, twice: the second time over what is there. */
export const untarSources: Storm = async ({ tree, aside }) => {
  const project = join(import.meta.dirname, "..", "..");
  const archive = join(aside, "sources.tar");
  await execa("tar", ["-cf", archive, "-C", project, "src", "test", "docs"]);
  await mkdir(join(tree, "untarred"), { recursive: true });
  const unpack = ["-xf", archive, "-C", join(tree, "untarred"), "--no-same-owner"];
  await execa("tar", unpack);
  await execa("tar", unpack);
};

/** Names that a shell, a pattern of rsync or a list of lines would trip over; one is no UTF-8. */
export const useOddNames: Storm = async ({ tree }, random) => {
  const names = [" ", " a b ", "-rf", "--delete", "*", "[a-c]?", "a\nb", "a\\b", "a\\nb", "#x", ";x", "$(x)", "'", '"'];
  const all = [...names, "ü", "e\u0301", "~", ".hidden", "x".repeat(255)].map((name) => Buffer.from(name));
  all.push(Buffer.from([0x63, 0xe9]));
  for (const name of all) {
    const path = Buffer.concat([Buffer.from(`${tree}/file`), name.subarray(0, 250)]);
    await writeFile(path, smallContent(random));
    if (name.length > 250) continue;
    const directory = Buffer.concat([Buffer.from(`${tree}/`), name]);
    await mkdir(directory, { recursive: true });
    await writeFile(Buffer.concat([directory, Buffer.from("/"), name]), smallContent(random));
  }
};

/** All of a directory is taken away, piece by piece, from below. */
export const emptyDirectory: Storm = async ({ tree }) => {
  await execa("find", [tree, "-mindepth", "1", "-delete"]);
};

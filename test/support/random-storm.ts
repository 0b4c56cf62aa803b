import {
  appendFile,
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { randomFrom } from "./random.ts";
import type { StormPlace } from "./tree-storms.ts";

export interface RandomStorm {
  /** Does so many steps, and resolves to their names. */
  steps(place: StormPlace, count: number): Promise<string[]>;
}

/** A mixture of everything that can happen to files, always the same for one seed and one tree. */
export function randomStorm(seed: number): RandomStorm {
  const random = randomFrom(seed);
  let drawn = 0;
  const draw = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
  const kinds = Object.keys(steps);
  return {
    steps: async (place, count) => {
      const done: string[] = [];
      for (let step = 0; step < count; step += 1) {
        const kind = draw(kinds) ?? "create";
        drawn += 1;
        // Storms of other seeds may have been here.
        const serial = `${seed.toString(36)}-${drawn}`;
        const scene = { ...place, ...(await lookAround(place.tree)), random, draw, serial };
        if (await steps[kind]?.(scene)) done.push(kind);
      }
      return done;
    },
  };
}

interface Scene extends StormPlace {
  /** Full paths, sorted. Directories have the tree itself among them. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly random: () => number;
  readonly draw: <T>(from: readonly T[]) => T | undefined;
  /** Another one each time, for new names. */
  readonly serial: string;
}

/** Each resolves to false when there is nothing that it could be done to. */
const steps: Readonly<Record<string, (scene: Scene) => Promise<boolean>>> = {
  create: async (scene) => write(newPath(scene), contentOf(scene)),
  createAgain: async (scene) => write(newPath(scene), contentOf(scene)),
  createDeep: async (scene) => {
    const path = join(newPath(scene), "a", "b", "c");
    await mkdir(path, { recursive: true });
    return write(join(path, "deep"), contentOf(scene));
  },
  makeEmptyDirectory: async (scene) => done(mkdir(newPath(scene))),
  append: (scene) => withFile(scene, (file) => appendFile(file, contentOf(scene))),
  shorten: (scene) => withFile(scene, (file) => truncate(file, Math.floor(scene.random() * 100))),
  overwrite: (scene) => withFile(scene, (file) => writeFile(file, contentOf(scene))),
  /** Within a second of the write before, most of the time: size and whole second stay the same. */
  overwriteSameSize: (scene) =>
    withFile(scene, async (file) => {
      const { size } = await lstat(file);
      await writeFile(file, Buffer.alloc(size, Math.floor(scene.random() * 256)));
    }),
  saveByRename: (scene) =>
    withFile(scene, async (file) => {
      await writeFile(`${file}~`, contentOf(scene));
      await rename(`${file}~`, file);
    }),
  changeMode: (scene) => withFile(scene, (file) => chmod(file, scene.draw([0o600, 0o640, 0o644, 0o755]) ?? 0o644)),
  changeDirectoryMode: (scene) =>
    withDirectory(scene, (directory) => chmod(directory, scene.draw([0o700, 0o750, 0o755]) ?? 0o755)),
  setTime: (scene) =>
    withFile(scene, (file) => utimes(file, 1, 1_000_000_000 + Math.floor(scene.random() * 500_000_000))),
  moveFile: (scene) => withFile(scene, (file) => rename(file, newPath(scene))),
  moveFileOver: (scene) => withFile(scene, async (file) => rename(file, scene.draw(scene.files) ?? file)),
  moveDirectory: (scene) =>
    withDirectory(scene, async (directory) => {
      const into = scene.directories.filter((other) => other !== directory && !other.startsWith(`${directory}/`));
      await rename(directory, join(scene.draw(into) ?? scene.tree, `moved${scene.serial}`));
    }),
  moveOut: (scene) => withDirectory(scene, (directory) => rename(directory, join(scene.aside, `out${scene.serial}`))),
  moveIn: async (scene) => {
    const outside = (await readdir(scene.aside)).filter((name) => name.startsWith("out")).toSorted();
    const name = scene.draw(outside);
    if (name === undefined) return false;
    return done(rename(join(scene.aside, name), newPath(scene)));
  },
  deleteFile: (scene) => withFile(scene, (file) => rm(file)),
  deleteDirectory: (scene) => withDirectory(scene, (directory) => rm(directory, { recursive: true })),
  deleteAndRecreate: (scene) =>
    withFile(scene, async (file) => {
      await rm(file);
      await writeFile(file, contentOf(scene));
    }),
  turnIntoDirectory: (scene) =>
    withFile(scene, async (file) => {
      await rm(file);
      await mkdir(file);
      await writeFile(join(file, "inner"), contentOf(scene));
    }),
  turnIntoFile: (scene) =>
    withDirectory(scene, async (directory) => {
      await rm(directory, { recursive: true });
      await writeFile(directory, contentOf(scene));
    }),
  makeLink: (scene) => withFile(scene, (file) => symlink(basename(file), newPath(scene))),
  turnIntoLink: (scene) =>
    withFile(scene, async (file) => {
      await rm(file);
      await symlink("leads/nowhere", file);
    }),
  linkDirectory: (scene) =>
    withDirectory(scene, (directory) => {
      const path = newPath(scene);
      return symlink(relative(dirname(path), directory) || ".", path);
    }),
  linkHard: (scene) => withFile(scene, (file) => link(file, newPath(scene))),
};

async function lookAround(tree: string): Promise<Pick<Scene, "files" | "directories">> {
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const paths = (kind: "isFile" | "isDirectory") =>
    entries
      .filter((entry) => entry[kind]())
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted();
  return { files: paths("isFile"), directories: [tree, ...paths("isDirectory")] };
}

function newPath({ draw, directories, tree, serial }: Scene): string {
  return join(draw(directories) ?? tree, `new${serial}`);
}

function contentOf({ random, serial }: Scene): string {
  return `content ${serial}\n`.repeat(1 + Math.floor(random() * 200));
}

async function write(path: string, content: string): Promise<boolean> {
  return done(writeFile(path, content));
}

async function withFile(scene: Scene, act: (file: string) => Promise<unknown>): Promise<boolean> {
  const file = scene.draw(scene.files);
  return file === undefined ? false : done(act(file));
}

/** Never the tree itself. */
async function withDirectory(scene: Scene, act: (directory: string) => Promise<unknown>): Promise<boolean> {
  const directory = scene.draw(scene.directories.slice(1));
  return directory === undefined ? false : done(act(directory));
}

async function done(act: Promise<unknown>): Promise<boolean> {
  await act;
  return true;
}

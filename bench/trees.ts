import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface TreeSize {
  readonly directories: number;
  readonly filesInEach: number;
  /** Of each file; undefined: a few. */
  readonly bytes?: number;
}

/** Makes a tree of small files, a hundred directories below each of the first level. */
export async function makeTree(root: string, { directories, filesInEach, bytes = 0 }: TreeSize): Promise<void> {
  for (let number = 0; number < directories; number += 1) {
    const path = join(root, `part-${Math.floor(number / 100)}`, `directory-${number}`);
    await mkdir(path, { recursive: true });
    const files = Array.from({ length: filesInEach }, (_, file) =>
      writeFile(join(path, `file-${file}`), `${`${number} ${file}`.padEnd(bytes - 1, ".")}\n`),
    );
    await Promise.all(files);
  }
}

const fewFiles = 100;

/** A directory with a hundred small files, for syncs of which the files are not the point. */
export async function makeFewFiles(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  for (let file = 0; file < fewFiles; file += 1) await writeFile(join(path, `file-${file}`), `content of ${file}\n`);
}

/** `10,000 files in 100 directories`, with their size if it is given: `10,000 files of 2 kB in …`. */
export function describeTree({ directories, filesInEach, bytes }: TreeSize): string {
  const [files, below] = [directories * filesInEach, directories].map((count) => count.toLocaleString("en"));
  return `${files} files ${bytes === undefined ? "" : `of ${bytes / 1000} kB `}in ${below} directories`;
}

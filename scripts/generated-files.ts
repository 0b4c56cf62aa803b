import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export type FileTexts = ReadonlyMap<string, string>;

/** Which of these files are not as they should be, by their paths in the repository. */
export async function findOutdated(root: string, files: FileTexts): Promise<string[]> {
  const outdated: string[] = [];
  for (const [path, content] of files) {
    if ((await readFile(join(root, path), "utf8").catch(() => "")) !== content) outdated.push(path);
  }
  return [...outdated, ...(await findLeftCharts(root, files))];
}

/** Makes them so, and returns the paths of those that were not. */
export async function writeOutdated(root: string, files: FileTexts): Promise<string[]> {
  const outdated = await findOutdated(root, files);
  for (const path of outdated) {
    const content = files.get(path);
    if (content === undefined) {
      await rm(join(root, path));
      continue;
    }
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return outdated;
}

/** Charts of areas that are no more; other pictures in their directory were made by hand. */
async function findLeftCharts(root: string, files: FileTexts): Promise<string[]> {
  const directories = new Set([...files.keys()].filter((path) => path.endsWith(".svg")).map(dirname));
  const left: string[] = [];
  for (const directory of directories) {
    const names = await readdir(join(root, directory)).catch(() => []);
    const charts = names.filter((name) => /^chart-.*\.svg$/.test(name)).map((name) => join(directory, name));
    left.push(...charts.filter((path) => !files.has(path)));
  }
  return left.toSorted();
}

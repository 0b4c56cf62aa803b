import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const projectRoot = join(import.meta.dirname, "..", "..");

/** What the tools make; it is not in the repository. */
const made = /^(\.git|node_modules|dist|\.dist-\d+|coverage|\.test-results|\.demo)$/;

/** The relative path of every file of the project. It does not ask git, which a tarball has none of. */
export function projectFiles(directory = projectRoot): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !made.test(entry.name))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return projectFiles(path);
      return entry.isFile() ? [relative(projectRoot, path)] : [];
    })
    .toSorted();
}

export function readProjectFile(path: string): string {
  return readFileSync(join(projectRoot, path), "utf8");
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "..", "fixtures", "rsync-output");

/** The versions of rsync whose output was captured by scripts/capture-rsync-output.sh. */
export const capturedVersions = readdirSync(directory);

/** What a captured rsync wrote, with its carriage returns. */
export function captured(version: string, name: string, stream: "txt" | "stderr" = "txt"): string {
  return readFileSync(join(directory, version, `${name}.${stream}`), "utf8");
}

/** Exit codes of the captured cases. */
export function capturedExitCodes(version: string): Map<string, number> {
  const lines = readFileSync(join(directory, version, "status.tsv"), "utf8")
    .trim()
    .split("\n");
  return new Map(lines.map((line) => line.split("\t") as [string, string]).map(([name, code]) => [name, Number(code)]));
}

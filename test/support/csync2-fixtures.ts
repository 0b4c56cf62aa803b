import { readFileSync } from "node:fs";
import { join } from "node:path";

const directory = join(import.meta.dirname, "..", "fixtures", "csync2-output");

/** What a real csync2 wrote in a case of scripts/capture-csync2-output.sh, line by line. */
export function csync2Lines(name: string, stream: "txt" | "stderr" = "stderr"): string[] {
  const text = readFileSync(join(directory, `${name}.${stream}`), "utf8");
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** The cases and the exit codes of csync2 in them. */
export function csync2ExitCodes(): Map<string, number> {
  const lines = readFileSync(join(directory, "status.tsv"), "utf8").trim().split("\n");
  return new Map(lines.map((line) => line.split("\t")).map(([name = "", code]) => [name, Number(code)]));
}

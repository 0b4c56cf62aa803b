import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const log = "/witness/log";

/** An empty log; it and the copies belong to the account of the directors. */
export function openWitness(copies: readonly string[]): void {
  writeFileSync(log, "");
  execFileSync("chown", ["rsyncdirector:", "/witness", log, ...copies]);
}

/** What `witness.sh` wrote: who met another one, and how often each was seen (`backup01 sends`). */
export function readWitness(): { met: string[]; seen: (what: string) => number } {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return {
    met: lines.filter((line) => !line.endsWith(" alone")),
    seen: (what) => lines.filter((line) => line.startsWith(`${what} `)).length,
  };
}

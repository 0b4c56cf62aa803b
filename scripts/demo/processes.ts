import { readdirSync, readFileSync } from "node:fs";

export interface Process {
  readonly pid: number;
  readonly argv: readonly string[];
}

/** Every process whose command line mentions `text`; our own is left out. */
export function processesMentioning(text: string): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), argv: commandLine(name) }))
    .filter(({ argv }) => argv.some((word) => word.includes(text)));
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
  } catch {
    return []; // It has ended since the directory was read.
  }
}

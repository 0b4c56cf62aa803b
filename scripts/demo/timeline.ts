import type { DirectorProcess, LogLine } from "../../test/support/director-process.ts";
import { type Colour, paint, say } from "./screen.ts";

/** Prints what a director logs as it happens, in words, each line with the seconds since `start`. */
export function followDirector(name: string, colour: Colour, director: DirectorProcess, start: () => number): void {
  director.onLine((line) => {
    const words = describe(line);
    if (words === undefined) return;
    const seconds = ((Date.now() - start()) / 1000).toFixed(1).padStart(6);
    say(`  ${paint("dim", `${seconds} s`)}  ${paint(colour, name.padEnd(10))} ${words}`);
  });
}

export function isRunFinished(line: LogLine): boolean {
  return line.msg === "run finished";
}

/** The log's static messages in the demo's words; undefined for lines that would only distract. */
const words: Readonly<Record<string, (line: LogLine) => string | undefined>> = {
  "run queued": ({ cause }) => `is asked to run (${kindOf(cause)})`,
  "run requested again": () => "is asked again: the run that waits will do",
  "job started": ({ job }) => `job ${field(job)} begins`,
  "job waits for a lock": (line) => paint("yellow", `waits: ${lockOf(line)} is ${field(line.detail)}`),
  "job waits: the state of a lock is unknown": (line) =>
    paint("yellow", `waits: nobody can say whether ${lockOf(line)} is free (${field(line.detail)})`),
  "job stopped waiting": ({ outcome, waited }) =>
    outcome === "free"
      ? paint("green", `waited ${field(waited)}, the way is free`)
      : `stops waiting: ${field(outcome)}`,
  "lock acquired": (line) => `takes its lock ${lockOf(line)}`,
  "lock withdrawn": (line) => paint("yellow", `gives ${lockOf(line)} back: ${field(line.because)}`),
  "lock released": (line) => `frees its lock ${lockOf(line)}`,
  "lock could not be freed": (line) => paint("red", `cannot free ${lockOf(line)}: ${field(line.detail)}`),
  "action started": ({ argv }) => paint("bold", `rsync is writing  ${paint("dim", lastWords(argv))}`),
  "action finished": ({ outcome, files, bytes, duration }) =>
    `rsync has ended: ${field(outcome)}, ${field(files)} files, ${field(bytes)} bytes in ${field(duration)}`,
  "action is tried again": ({ delay, detail }) => paint("red", `tries again in ${field(delay)}: ${field(detail)}`),
  "job finished": ({ outcome, detail }) =>
    outcome === "ok" ? paint("green", "job done") : paint("red", `job ${field(outcome)}: ${field(detail)}`),
};

function describe(line: LogLine): string | undefined {
  const known = words[line.msg];
  if (known !== undefined) return known(line);
  return line.level === "warn" || line.level === "error" ? paint("red", JSON.stringify(line)) : undefined;
}

/** `laptop01-is-syncing on backup01 (ssh)`: the demo's hosts are all loopback, but their disks have names. */
function lockOf({ host, path }: LogLine): string {
  const [disk, , file] = field(path).split("/").slice(-3);
  return `${file} on ${disk}${host === undefined ? "" : " (over ssh)"}`;
}

function kindOf(cause: unknown): string {
  const kind = typeof cause === "object" && cause !== null && "kind" in cause ? cause.kind : cause;
  return kind === "signal" ? "SIGHUP" : field(kind);
}

/** The operands of rsync: from where to where. */
function lastWords(argv: unknown): string {
  return Array.isArray(argv) ? argv.slice(-2).map(field).join(" → ") : "";
}

function field(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "?");
}

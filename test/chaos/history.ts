import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RecordedAnswer, RecordedOperation, RecordLine } from "../../src/lock/transport/operation-record.ts";

/** One job of the history; each has a director of its own with the same name. Paths are unique over all hosts. */
export interface HistoryJob {
  readonly name: string;
  readonly locks: readonly string[];
  readonly blocks: readonly string[];
  /** Its writers have to hold kernel locks. */
  readonly fenced: boolean;
}

/** What the checker has to know to judge a history. */
export interface Setup {
  readonly seed: number;
  readonly jobs: readonly HistoryJob[];
  /** Longest time that a dead owner may block others when nothing else is wrong. */
  readonly blockBoundMs: number;
}

/** A lock operation of one client; times in milliseconds since boot. */
export interface Operation extends RecordedOperation {
  readonly proc: string;
  /** Name of the director. */
  readonly client: string;
  readonly trip: number;
  /** null: a lock of the client's own host. */
  readonly host: string | null;
  readonly invoked: number;
  /** Infinity: the client died before there was an answer. */
  readonly returned: number;
  readonly answer: RecordedAnswer;
}

/** What the lab did, and what became of the directors. */
export type LabEvent = { readonly t: number } & (
  | { readonly kind: "started" | "ended"; readonly client: string; readonly pid: number; readonly how?: string }
  | { readonly kind: "fault" | "healed"; readonly fault: string; readonly target: string }
  /** A directory lost its files as in a reboot. */
  | { readonly kind: "wiped"; readonly directory: string }
  /** Its job did not succeed in the time that it may take when nothing is wrong any more. */
  | { readonly kind: "starved"; readonly client: string }
  /** What was left when all directors had ended in good order. */
  | { readonly kind: "left"; readonly paths: readonly string[] }
);

/** A process that could write at a destination, as the wrapper beside it saw it. */
export interface Writer {
  readonly id: string;
  readonly job: string;
  readonly started: number;
  /** Not before its last process had ended; Infinity: nobody saw the end. */
  readonly ended: number;
  /** Hold files it had locked. */
  readonly holds: readonly string[];
  /** Tokens in the lock files beside them. */
  readonly tokens: readonly string[];
  /** Writers that lived when it could have written its first byte. */
  readonly others: readonly string[];
}

export interface History {
  readonly setup: Setup;
  /** In the order of their invocation. */
  readonly operations: readonly Operation[];
  readonly events: readonly LabEvent[];
  readonly writers: readonly Writer[];
}

type WitnessLine =
  | (Pick<Writer, "job" | "holds" | "tokens" | "others"> & {
      readonly at: "start";
      readonly writer: string;
      readonly uptime: number;
    })
  | { readonly at: "end"; readonly writer: string; readonly uptime: number };

/** Reads a directory as the lab writes it: setup.json, events.jsonl, witness.jsonl and records/<name>.jsonl. */
export function readHistory(directory: string): History {
  const setup = JSON.parse(readFileSync(join(directory, "setup.json"), "utf8")) as Setup;
  const records = join(directory, "records");
  const lines = readdirSync(records).flatMap((name) => readLines<RecordLine>(join(records, name)));
  return {
    setup,
    operations: pairOperations(lines),
    events: readLines<LabEvent>(join(directory, "events.jsonl")),
    writers: readWriters(directory),
  };
}

/** What one client has recorded so far. */
export function readRecord(file: string): Operation[] {
  return pairOperations(readLines<RecordLine>(file));
}

/** What the witness of this directory has seen so far. */
export function readWriters(directory: string): Writer[] {
  return pairWriters(readLines<WitnessLine>(join(directory, "witness.jsonl")));
}

/** The last line of a process that was killed may be cut off: what it says has not happened yet. */
function readLines<Line>(file: string): Line[] {
  if (!existsSync(file)) return [];
  const texts = readFileSync(file, "utf8").split("\n");
  return texts.flatMap((text) => {
    try {
      return [JSON.parse(text) as Line];
    } catch {
      return [];
    }
  });
}

export function pairOperations(lines: readonly RecordLine[]): Operation[] {
  const returns = new Map<string, RecordLine & { at: "return" }>();
  const keyOf = ({ proc, id }: RecordLine) => `${proc} ${id}`;
  for (const line of lines) if (line.at === "return") returns.set(keyOf(line), line);
  return lines
    .flatMap((line) => {
      if (line.at !== "invoke") return [];
      const { proc, id: trip, host, t: invoked } = line;
      const end = returns.get(keyOf(line));
      const client = proc.split(":")[0] ?? proc;
      return line.operations.map((operation, index): Operation => {
        const answer = end?.answers[index] ?? { is: "unknown", sent: true };
        return { ...operation, proc, client, trip, host, invoked, returned: end?.t ?? Infinity, answer };
      });
    })
    .toSorted((a, b) => a.invoked - b.invoked);
}

function pairWriters(lines: readonly WitnessLine[]): Writer[] {
  const ends = new Map(lines.filter(({ at }) => at === "end").map(({ writer, uptime }) => [writer, uptime * 1000]));
  return lines.flatMap((line) => {
    if (line.at !== "start") return [];
    const { writer: id, job, uptime, holds, tokens, others } = line;
    return [{ id, job, started: uptime * 1000, ended: ends.get(id) ?? Infinity, holds, tokens, others }];
  });
}

/** Whether two jobs may never write at the same time: they share a lock file, or each lists one of the other's. */
export function excludes(a: HistoryJob, b: HistoryJob): boolean {
  if (a.name === b.name || a.locks.some((path) => b.locks.includes(path))) return true;
  const lists = (one: HistoryJob, other: HistoryJob) => one.blocks.some((path) => other.locks.includes(path));
  return lists(a, b) && lists(b, a);
}

/** Groups operations, which keep their order. */
export function operationsBy(
  operations: readonly Operation[],
  keyOf: (operation: Operation) => string,
): ReadonlyMap<string, readonly Operation[]> {
  const groups = new Map<string, Operation[]>();
  for (const operation of operations) {
    const group = groups.get(keyOf(operation));
    if (group === undefined) groups.set(keyOf(operation), [operation]);
    else group.push(operation);
  }
  return groups;
}

/** Index of the first operation that was invoked after `t`; a history may have hundreds of thousands. */
export function firstAfter(operations: readonly Operation[], t: number): number {
  let [low, high] = [0, operations.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((operations[middle]?.invoked ?? Infinity) > t) high = middle;
    else low = middle + 1;
  }
  return low;
}

import { systemClock } from "../../src/base/clock.ts";
import type { Job } from "../../src/config/resolved.ts";
import { recordOperations, type RecordLine, type WrapTransport } from "../../src/lock/transport/operation-record.ts";
import { checkHistory } from "../chaos/check-history.ts";
import { type HistoryJob, type LabEvent, pairOperations } from "../chaos/history.ts";
import type { Violation } from "../chaos/violation.ts";

/** What a dead owner may block beyond a tenth more than its ttl: looks, operations, and a machine that is busy. */
const patienceMs = 30_000;

/**
 * The lock operations of all directors of a scene, as chaos records them. One that is called like its job has that job
 * in the history, so that a job that nobody ran is a violation too: an empty record does not pass.
 */
export class LockHistory {
  readonly #lines: RecordLine[] = [];
  readonly #events: LabEvent[] = [];
  #lives = 0;

  /** A new life of a director: what records its operations, and what notes that it has ended without giving back its locks. */
  record(name: string): { wrap: WrapTransport; ended: () => void } {
    this.#lives += 1;
    const pid = this.#lives;
    const write = (line: RecordLine) => void this.#lines.push(line);
    return {
      wrap: recordOperations({ proc: `${name}:${pid}:0`, time: () => systemClock.monotonic(), write }),
      ended: () =>
        void this.#events.push({ kind: "ended", t: systemClock.monotonic(), client: name, pid, how: "SIGKILL" }),
    };
  }

  /** What the checker has against it. There are no writers here, so that nobody can be seen writing. */
  violations(jobs: readonly Job[]): readonly Violation[] {
    const ttls = jobs.map(({ lease }) => lease.ttlMs);
    const setup = { seed: 0, jobs: jobs.map(historyJob), blockBoundMs: 1.1 * Math.max(...ttls) + patienceMs };
    const operations = pairOperations(this.#lines);
    return checkHistory({ setup, operations, events: this.#events, writers: [] }).violations;
  }
}

function historyJob({ id, lockFiles, blocksOn }: Job): HistoryJob {
  const blocks = blocksOn.map(({ lock }) => lock.path);
  return { name: id, locks: lockFiles.map(({ path }) => path), blocks, fenced: false };
}

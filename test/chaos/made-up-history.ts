import type { RecordedAnswer } from "../../src/lock/transport/operation-record.ts";
import type { History, HistoryJob, LabEvent, Operation, Writer } from "./history.ts";

/** What a made-up operation may say; it takes ten milliseconds and is the first life of the client unless told. */
export interface Step {
  readonly at: number;
  readonly until?: number;
  readonly token?: string;
  readonly is: string;
  readonly found?: string;
  readonly sent?: boolean;
  readonly state?: "claim" | "held";
  /** Operations with the same number are one trip. */
  readonly trip?: number;
  readonly life?: number;
  readonly host?: null;
}

const ttlSeconds = 62;

/** A history put together by hand: what no correct program does, a checker has to be shown. */
export class MadeUpHistory implements History {
  readonly setup;
  readonly operations: Operation[] = [];
  readonly events: LabEvent[] = [];
  readonly writers: Writer[] = [];
  #trips = 1000;

  constructor(jobs: readonly (Pick<HistoryJob, "name" | "locks"> & Partial<HistoryJob>)[]) {
    const all = jobs.map((job): HistoryJob => ({ blocks: [], fenced: true, ...job }));
    this.setup = { seed: 1, jobs: all, blockBoundMs: 200_000 };
  }

  add(client: string, op: Operation["op"], path: string, step: Step): this {
    const { at: invoked, until: returned = invoked + 10, token, is, found, sent, state, life = 1, host } = step;
    this.#trips += 1;
    const answer: RecordedAnswer = {
      is,
      ...(found === undefined ? {} : { found: { token: found, mtime: 1 } }),
      ...(sent === undefined ? {} : { sent }),
    };
    const claimed =
      op === "acquire" ? { job: client, run: "run", ttl: ttlSeconds, state: state ?? ("held" as const) } : {};
    this.operations.push({
      op,
      path,
      ...(token === undefined ? {} : { token }),
      ...claimed,
      proc: `${client}:${life}:0`,
      client,
      trip: step.trip ?? this.#trips,
      host: host === null ? null : "lockhost",
      invoked,
      returned,
      answer,
    });
    this.operations.sort((a, b) => a.invoked - b.invoked);
    return this;
  }

  /** A whole life of a lock, from the claim to the release. */
  hold(client: string, path: string, token: string, [from, to]: [number, number]): this {
    this.add(client, "acquire", path, { at: from, token, is: "acquired" });
    return this.add(client, "release", path, { at: to, token, is: "released" });
  }

  event(event: LabEvent): this {
    this.events.push(event);
    return this;
  }

  write(writer: Pick<Writer, "id" | "job" | "started" | "ended"> & Partial<Writer>): this {
    this.writers.push({ holds: ["/locks/p.hold"], tokens: [], others: [], ...writer });
    return this;
  }
}

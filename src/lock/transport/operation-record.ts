import { fdatasyncSync, openSync, writeSync } from "node:fs";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { parseLockRecord, type LockOwner } from "../lock-record.ts";
import type { AcquireRequest, AcquireResult, Claim, FoundLock, LockTransport, OwnLock } from "./lock-transport.ts";

/** One operation on one path within a trip. */
export interface RecordedOperation {
  readonly op: "acquire" | "check" | "promote" | "beat" | "release" | "break" | "break-foreign" | "fence";
  readonly path: string;
  /** Whose lock it is about: the own token, or that of the lock to be broken. */
  readonly token?: string;
  /** Of a claim: what it is for, and how it lives. */
  readonly job?: string;
  readonly run?: string;
  readonly state?: string;
  readonly ttl?: number;
  readonly hb?: number;
  readonly hold?: boolean;
}

/** `unknown`: nobody can say; it may have been carried out or may still be, unless `sent` is false. */
export interface RecordedAnswer {
  /** The kind of the answer, as lock-transport.ts has it. */
  readonly is: string;
  /** What was found at the path, when something was; null is a lock of another program. */
  readonly found?: { readonly token: string | null; readonly state?: string; readonly mtime: number };
  readonly sent?: boolean;
}

/** A line of the record. `t`: milliseconds since boot, to a thousandth of one; `proc`: name, process id and start time of the client. */
export type RecordLine = { readonly t: number; readonly proc: string; readonly id: number } & (
  | { readonly at: "invoke"; readonly host: string | null; readonly operations: readonly RecordedOperation[] }
  | { readonly at: "return"; readonly answers: readonly RecordedAnswer[] }
);

export type WrapTransport = (transport: LockTransport) => LockTransport;

/**
 * Appends each lock operation to a file, before it is sent and when it is answered, on the disk before
 * anything else happens: what a director did can then be told whatever becomes of it. It is for finding out
 * what happened when two jobs ran that must not, and costs every operation two waits for the disk.
 */
export function openOperationRecord(
  file: string,
  { owner, time, log }: { owner: LockOwner; time: () => number; log: Logger },
): WrapTransport {
  let descriptor: number | undefined;
  const write = (line: RecordLine) => {
    try {
      descriptor ??= openSync(file, "a", 0o640);
      writeSync(descriptor, `${JSON.stringify(line)}\n`);
      fdatasyncSync(descriptor);
    } catch (error) {
      log.error({ file, error: describeError(error) }, "a lock operation could not be recorded");
    }
  };
  log.warn({ file }, "lock operations are recorded (RSYNCDIRECTOR_LOCK_RECORD)");
  return recordOperations({ proc: `${owner.name}:${owner.pid}:${owner.start}`, time, write });
}

export function recordOperations(deps: {
  proc: string;
  /** Milliseconds since boot, by which the records of several processes can be put in order. */
  time: () => number;
  write: (line: RecordLine) => void;
}): WrapTransport {
  const { proc, write } = deps;
  const time = () => Math.round(deps.time() * 1000) / 1000;
  let trips = 0;

  return (transport) => {
    const { host } = transport;
    const record = async <Result>(
      operations: readonly RecordedOperation[],
      answersOf: (result: Result) => readonly RecordedAnswer[],
      operate: () => Promise<Result>,
    ): Promise<Result> => {
      trips += 1;
      const id = trips;
      write({ t: time(), proc, id, at: "invoke", host, operations });
      const result = await operate();
      write({ t: time(), proc, id, at: "return", answers: answersOf(result) });
      return result;
    };
    return {
      ...transport,
      acquire: (request, signal) =>
        record(
          operationsOf(request),
          (result) => answersTo(request, result),
          () => transport.acquire(request, signal),
        ),
      check: (paths, signal) => record(checksOf(paths), answersIn, () => transport.check(paths, signal)),
      promote: (claims, signal) =>
        record(
          claims.map((claim) => claimOf("promote", claim)),
          answersIn,
          () => transport.promote(claims, signal),
        ),
      beat: (locks, signal) =>
        record(
          locks.map((lock) => ({ op: "beat", ...ownOf(lock) })),
          answersIn,
          () => transport.beat(locks, signal),
        ),
      release: (locks, signal) =>
        record(
          locks.map((lock) => ({ op: "release", ...ownOf(lock) })),
          answersIn,
          () => transport.release(locks, signal),
        ),
      break: (lock, signal) => record([{ op: "break", ...ownOf(lock) }], answerIn, () => transport.break(lock, signal)),
      fence: (dead, signal) => record([{ op: "fence", ...ownOf(dead) }], answerIn, () => transport.fence(dead, signal)),
      breakForeign: (lock, signal) =>
        record([{ op: "break-foreign", path: lock.path }], answerIn, () => transport.breakForeign(lock, signal)),
    };
  };
}

function operationsOf({ claims, thenCheck, thenPromote = [] }: AcquireRequest): RecordedOperation[] {
  return [
    ...claims.map((claim) => claimOf("acquire", claim)),
    ...checksOf(thenCheck),
    ...thenPromote.map((claim) => claimOf("promote", claim)),
  ];
}

/** What was left out has no answer; it may have been done all the same when the whole trip has none. */
function answersTo(request: AcquireRequest, { claims, checks, promotions }: AcquireResult): RecordedAnswer[] {
  const given = [...claims, ...checks, ...promotions].map(answerOf);
  const lost = given.find(({ is, sent }) => is === "unknown" && sent === true);
  const missing = lost ?? { is: "not-tried" };
  const fill = (answers: readonly Answer[], wanted: number) =>
    Array.from({ length: wanted }, (_, index) => {
      const answer = answers[index];
      return answer === undefined ? missing : answerOf(answer);
    });
  const { thenCheck, thenPromote = [] } = request;
  return [
    ...fill(claims, request.claims.length),
    ...fill(checks, thenCheck.length),
    ...fill(promotions, thenPromote.length),
  ];
}

function checksOf(paths: readonly string[]): RecordedOperation[] {
  return paths.map((path) => ({ op: "check", path }));
}

function claimOf(op: "acquire" | "promote", { path, token, content }: Claim): RecordedOperation {
  const { job, run, state, ttl, hb, hold } = parseLockRecord(content.split("\n")[1] ?? "") ?? {};
  const facts = Object.entries({ job, run, state, ttl, hb, hold }).filter(([, value]) => value !== undefined);
  return { op, path, token, ...Object.fromEntries(facts) };
}

function ownOf({ path, token }: OwnLock): { path: string; token: string } {
  return { path, token };
}

interface Answer {
  readonly kind: string;
  readonly found?: FoundLock;
  readonly mayHaveRun?: boolean;
}

const answersIn = (answers: readonly Answer[]): RecordedAnswer[] => answers.map(answerOf);
const answerIn = (answer: Answer): RecordedAnswer[] => [answerOf(answer)];

function answerOf({ kind, found, mayHaveRun }: Answer): RecordedAnswer {
  return {
    is: kind,
    ...(found === undefined
      ? {}
      : {
          found: {
            token: found.record?.token ?? null,
            ...(found.record === null ? {} : { state: found.record.state }),
            mtime: found.mtime,
          },
        }),
    ...(mayHaveRun === undefined ? {} : { sent: mayHaveRun }),
  };
}

import { userInfo, hostname } from "node:os";
import type { Clock } from "../../base/clock.ts";
import { OperatorError } from "../../base/errors.ts";
import { quoteUntrusted, safeWord } from "../../base/untrusted-text.ts";
import type { Config } from "../../config/resolved.ts";
import type { BreakAnswer, ReleaseAnswer } from "../../lock/transport/lock-transport.ts";
import type { LockRecord } from "../../lock/lock-record.ts";
import { describePlace, lookAt } from "../../lock/look.ts";
import { recordForcedUnlock } from "../../store/record-forced-unlock.ts";
import type { CatalogedLock, LockCatalog } from "./lock-catalog.ts";
import { createLogger } from "../logging.ts";
import { historyFile } from "../paths.ts";
import { surveyLocks, whyNoWay, type LockReport, type SurveyDeps } from "./survey-locks.ts";

/** A lock that a person looks at before he breaks it: exactly this instance, or nothing. */
export interface BreakCandidate {
  readonly report: LockReport;
  /** The token; of a foreign lock the SHA-256 of its content. Undefined: there is nothing that can be named. */
  readonly id: string | undefined;
  readonly mtime: number;
  readonly record: LockRecord | null;
  /** Why there is nothing that can be named. */
  readonly detail: string | undefined;
}

export type BreakOutcome =
  /** Moved aside; `evidence` is its name now. */
  | { readonly kind: "broken"; readonly evidence: string }
  /** Over sftp: removed, nothing is left of it. */
  | { readonly kind: "removed" }
  | { readonly kind: "gone" }
  | { readonly kind: "changed" }
  | { readonly kind: "in-use" }
  /** The way to the host has no safe breaking. */
  | { readonly kind: "unsupported"; readonly detail: string }
  /** Nobody can say whether a writer lives. */
  | { readonly kind: "unproven"; readonly detail: string }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string };

const never = new AbortController().signal;

/** The lock of that name, `PATH` on this host or `HOST:PATH`. Throws an `OperatorError` if no job names it. */
export function findLock(catalog: LockCatalog, name: string): CatalogedLock {
  const found = catalog.locks.filter(({ target }) => describePlace(target.place) === name);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const names = catalog.locks.map(({ target }) => describePlace(target.place)).join(", ");
  const why = first === undefined ? "no job takes or waits for a lock" : "there are several locks called";
  throw new OperatorError(`${why} ${name}; the configuration has ${names || "none"}`, { kind: "usage" });
}

/** Looks closely at a lock. */
export async function inspectLock(
  lock: CatalogedLock,
  catalog: LockCatalog,
  deps: SurveyDeps,
): Promise<BreakCandidate> {
  const [[sight], [report]] = await Promise.all([
    lookAt([lock.target], { clock: deps.clock, signal: never, withinMs: deps.withinMs ?? 20_000 }),
    surveyLocks([lock], catalog, deps),
  ]);
  if (report === undefined) throw new Error("one lock has one report");
  const nothing = { report, id: undefined, mtime: 0, record: null, detail: undefined };
  if (sight?.state !== "held") return nothing;
  const { record, mtime } = sight.found;
  // What is broken has to be what is shown, and the two were looked at one after the other.
  const isShown = (shown: number) => report.mtimeSeconds === shown && report.token === (record?.token ?? null);
  if (!isShown(mtime)) return { ...nothing, detail: "it has just changed" };
  if (record !== null) return { ...nothing, id: record.token, mtime, record };
  const print = await lock.target.transport.fingerprint(lock.target.path, never);
  if (print.kind === "absent") return { ...nothing, detail: "it has just gone" };
  if (print.kind !== "fingerprint") return { ...nothing, detail: print.detail };
  if (print.found.record !== null || !isShown(print.found.mtime)) return { ...nothing, detail: "it has just changed" };
  return { ...nothing, id: print.sha256, mtime };
}

export interface BreakManner {
  /** Over sftp, where nothing can be moved aside under a guard: remove it by its token. */
  readonly unlink: boolean;
  /** Also when nobody can say whether a writer lives. */
  readonly unproven: boolean;
}

/** Breaks the lock that was looked at, if it is still that one and nobody has its hold lock. */
export async function breakCandidate(
  lock: CatalogedLock,
  { id, mtime, record }: BreakCandidate,
  about: { catalog: LockCatalog; manner: BreakManner },
): Promise<BreakOutcome> {
  const { catalog, manner } = about;
  const { transport, path } = lock.target;
  if (id === undefined) return { kind: "gone" };
  if (record === null) return toOutcome(await transport.breakForeign({ path, sha256: id, mtime }, never), { path, id });
  const obstacle =
    record.hold && record.fence !== undefined ? await fence(lock, { record, mtime, catalog }) : undefined;
  if (obstacle !== undefined && !(obstacle.kind === "unproven" && manner.unproven)) return obstacle;
  const answer = await transport.break({ path, token: id, mtime }, never);
  if (answer.kind !== "unsupported" || !manner.unlink) return toOutcome(answer, { path, id });
  const [released] = await transport.release([{ path, token: id, withoutWriters: manner.unproven }], never);
  return toRemoval(released);
}

/** Has the host that is written let in nobody any more with this token; returns why the lock must stay. */
async function fence(
  { target }: CatalogedLock,
  { record, mtime, catalog }: { record: LockRecord; mtime: number; catalog: LockCatalog },
): Promise<BreakOutcome | undefined> {
  const way = await catalog.reachFence(record);
  if (way === undefined) return { kind: "unproven", detail: whyNoWay(record) };
  // A token that is declared dead stays so, and the lock may have given a sign of life since.
  const [now] = await target.transport.check([target.path], never);
  if (now?.kind === "held" && now.found.mtime !== mtime) return { kind: "changed" };
  const answer = await way.transport.fence({ path: way.path, token: record.token }, never);
  if (answer.kind === "fenced") return undefined;
  if (answer.kind === "in-use") return answer;
  return { kind: "unproven", detail: `its hold lock ${describePlace(way.place)}: ${answer.detail}` };
}

function toOutcome(answer: BreakAnswer, { path, id }: { path: string; id: string }): BreakOutcome {
  switch (answer.kind) {
    case "broken":
      return { kind: "broken", evidence: `${path}.broken.${id}` };
    case "absent":
      return { kind: "gone" };
    case "changed":
      return { kind: "changed" };
    case "in-use":
      return { kind: "in-use" };
    case "unsupported":
      return answer;
    case "error":
      return { kind: "refused", detail: answer.detail };
    case "busy":
      return { kind: "unknown", detail: "another operation on it does not end" };
    case "unknown":
      return { kind: "unknown", detail: answer.detail };
  }
}

function toRemoval(answer: ReleaseAnswer | undefined): BreakOutcome {
  switch (answer?.kind) {
    case "released":
      return { kind: "removed" };
    case "absent":
      return { kind: "gone" };
    case "lost":
      return { kind: "changed" };
    case "in-use":
      return { kind: "in-use" };
    case "error":
      return { kind: "refused", detail: answer.detail };
    default:
      return { kind: "unknown", detail: answer?.kind === "unknown" ? answer.detail : "no answer" };
  }
}

/**
 * Leaves a trace of a lock that a person broke: a row in the history of the instance, and a line in its log
 * files. Returns what could not be written; the lock is broken all the same.
 */
export async function recordBreak(
  config: Config,
  { report, id }: BreakCandidate,
  about: { command: string; outcome: BreakOutcome; clock: Clock; env: Readonly<Record<string, string | undefined>> },
): Promise<string[]> {
  const { command, outcome, clock, env } = about;
  const failures: string[] = [];
  const by = `${env["SUDO_USER"] ?? userInfo().username} on ${hostname()}`;
  const owner = ownerInWords(report);
  const kept = outcome.kind === "broken" ? outcome.evidence : "removed";
  const failure = await recordForcedUnlock(historyFile(config, env), {
    ...{ at: clock.now(), runId: null, jobId: null, place: report.place, token: id ?? null, owner },
    ageMs: report.silentSeconds === null ? null : report.silentSeconds * 1000,
    detail: `by ${by}: ${command} (${kept})`,
  });
  if (failure !== undefined) failures.push(`the history: ${failure}`);
  const files = config.logging.filter(({ type }) => type === "file");
  if (files.length === 0) return failures;
  try {
    const log = createLogger(files, { fields: { rsync_id: config.rsyncId } });
    const { host, path } = report.place;
    const fields = { ...(host === null ? {} : { host }), path, lock: id, owner, by, command, kept };
    log.warn(fields, "a lock was broken by a person");
    await log.close();
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    failures.push(`the log: ${error.message}`);
  }
  return failures;
}

function ownerInWords({ owner, job, run, firstLine }: LockReport): string {
  if (owner === null) return `another program (first line: ${quoteUntrusted(firstLine ?? "")})`;
  const { rsyncId, host, pid } = owner;
  return safeWord(`job ${job ?? "?"} of ${rsyncId} on ${host} (pid ${pid}), run ${run ?? "?"}`, 300);
}

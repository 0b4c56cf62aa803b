import { longestContent } from "../lock-record.ts";
import {
  acquireCommand,
  beatCommand,
  breakCommand,
  breakForeignCommand,
  checkCommand,
  fenceCommand,
  fingerprintCommand,
  holdsCommand,
  probeCommand,
  promoteCommand,
  releaseCommand,
} from "./lock-script.ts";
import type {
  AcquireAnswer,
  AcquireResult,
  CheckAnswer,
  LockTransport,
  PromoteAnswer,
  Refused,
  Unknown,
} from "./lock-transport.ts";
import {
  sortAnswers,
  toAcquireAnswer,
  toBeatAnswer,
  toBreakAnswer,
  toCheckAnswer,
  toFenceAnswer,
  toFingerprintAnswer,
  toHoldAnswer,
  toProbeAnswer,
  toPromoteAnswer,
  toReleaseAnswer,
  type ScriptAnswer,
} from "./script-answers.ts";

/** What came back from a shell, or why it cannot be known; `error`: the host is not usable at all. */
export type ScriptResult = { readonly kind: "answered"; readonly lines: readonly string[] } | Unknown | Refused;

/**
 * Has commands carried out by a shell that knows the lock functions. Must not send them once the
 * signal is aborted. Never rejects.
 */
export type RunScript = (command: string, signal: AbortSignal) => Promise<ScriptResult>;

/** Lock operations by way of the shell functions; where the shell runs is the business of `run`. */
export function createScriptTransport(deps: { host: string | null; run: RunScript }): LockTransport {
  const { host, run } = deps;
  /** Has a command carried out that answers with `count` numbered lines. */
  const askAll = async <T>(
    command: string,
    signal: AbortSignal,
    count: number,
    read: (answer: ScriptAnswer | undefined) => T,
  ): Promise<readonly (T | Unknown | Refused)[]> => {
    const numbers = Array.from({ length: count }, (_, index) => index);
    const result = await run(command, signal);
    if (result.kind !== "answered") return numbers.map(() => result);
    const answers = sortAnswers(result.lines);
    return numbers.map((number) => read(answers.get(number)));
  };
  const ask = async <T>(command: string, signal: AbortSignal, read: (answer: ScriptAnswer | undefined) => T) =>
    (await askAll(command, signal, 1, read))[0] as T | Unknown | Refused;

  return {
    host,
    acquire: async (request, signal) => {
      const { claims, thenCheck, thenPromote = [], lookFirst = false } = request;
      const flaw = [...claims, ...thenPromote].map(flawOfClaim).find(Boolean);
      if (flaw !== undefined) return { claims: claims.map(() => refusal(flaw)), checks: [], promotions: [] };
      const sound = thenCheck.filter((path) => flawOfPath(path) === undefined);
      const paths = [...claims.map(({ path }) => path), ...thenCheck];
      const onlyLooked = (looked: readonly CheckAnswer[]): AcquireResult => ({
        claims: claims.map(() => ({ kind: "not-tried" })),
        ...{ checks: [], promotions: [], looked },
      });
      // A path that cannot be looked at is in the way of a promotion.
      const promote = sound.length === thenCheck.length ? thenPromote : [];
      const command = acquireCommand({ claims, thenCheck: sound, thenPromote: promote, lookFirst });
      const result = await run(command, signal);
      if (lookFirst && isNotSent(result)) return onlyLooked(paths.map(() => result));
      if (result.kind !== "answered") return { claims: claims.map(() => result), checks: [], promotions: [] };
      const answers = sortAnswers(result.lines);
      if (answers.get(claims.length + sound.length + promote.length)?.status === "BLOCKED") {
        let looks = 0;
        return onlyLooked(paths.map((path) => checkFlaw(path) ?? toCheckAnswer(answers.get(looks++))));
      }
      const taken = readClaims(claims.length, (index) => toAcquireAnswer(answers.get(index)));
      if (taken.some((answer) => answer.kind !== "acquired")) return { claims: taken, checks: [], promotions: [] };
      let number = claims.length;
      const checks = thenCheck.map((path) => checkFlaw(path) ?? toCheckAnswer(answers.get(number++)));
      const promotions: PromoteAnswer[] = answers.has(number)
        ? promote.map(() => toPromoteAnswer(answers.get(number++)))
        : [];
      return { claims: taken, checks, promotions };
    },
    check: async (paths, signal) => {
      const sound = paths.filter((path) => flawOfPath(path) === undefined);
      const result = sound.length === 0 ? undefined : await run(checkCommand(sound), signal);
      if (result !== undefined && result.kind !== "answered") return paths.map((path) => checkFlaw(path) ?? result);
      const answers = sortAnswers(result?.lines ?? []);
      let number = 0;
      return paths.map((path) => checkFlaw(path) ?? toCheckAnswer(answers.get(number++)));
    },
    release: (locks, signal) => askAll(releaseCommand(locks), signal, locks.length, toReleaseAnswer),
    beat: (locks, signal) => askAll(beatCommand(locks), signal, locks.length, toBeatAnswer),
    promote: (claims, signal) => {
      const flaw = claims.map(flawOfClaim).find(Boolean);
      if (flaw !== undefined) return Promise.resolve(claims.map(() => refusal(flaw)));
      return askAll(promoteCommand(claims), signal, claims.length, toPromoteAnswer);
    },
    break: (lock, signal) => {
      if (lock.token === "") return Promise.resolve(refusal("it has no token"));
      return ask(breakCommand(lock), signal, toBreakAnswer);
    },
    breakForeign: (lock, signal) => ask(breakForeignCommand(lock), signal, toBreakAnswer),
    fingerprint: (path, signal) => {
      const flaw = flawOfPath(path);
      if (flaw !== undefined) return Promise.resolve(refusal(flaw));
      return ask(fingerprintCommand(path), signal, toFingerprintAnswer);
    },
    probe: (directories, signal) => askAll(probeCommand(directories), signal, directories.length, toProbeAnswer),
    holds: (paths, signal) => askAll(holdsCommand(paths), signal, paths.length, toHoldAnswer),
    fence: (dead, signal) => ask(fenceCommand(dead), signal, toFenceAnswer),
  };
}

/** It cannot be carried out later either. */
function isNotSent(result: ScriptResult): result is Refused | Unknown {
  return result.kind === "error" || (result.kind === "unknown" && !result.mayHaveRun);
}

/** Claims behind one that did not succeed were not tried; a missing answer before that is a riddle. */
function readClaims(count: number, answerOf: (index: number) => AcquireAnswer): AcquireAnswer[] {
  const answers: AcquireAnswer[] = [];
  let stopped = false;
  for (let index = 0; index < count; index += 1) {
    const answer: AcquireAnswer = stopped ? { kind: "not-tried" } : answerOf(index);
    stopped ||= answer.kind !== "acquired";
    answers.push(answer);
  }
  return answers;
}

/** `.guard`, `.tmp.<token>` and `.broken.<token>` are added to the name, and no file system takes more than 255 bytes. */
const longestName = 220;

export function flawOfPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "its path is not absolute";
  if (path.includes("\0")) return "its path contains a NUL character";
  if (path.endsWith("/")) return "its path ends in a slash";
  if (Buffer.byteLength(path) > 4000) return "its path is too long";
  return path.split("/").some((name) => Buffer.byteLength(name) > longestName) ? "its name is too long" : undefined;
}

export function flawOfClaim({ path, content }: { path: string; content: string }): string | undefined {
  return flawOfPath(path) ?? flawOfContent(content);
}

function flawOfContent(content: string): string | undefined {
  return Buffer.byteLength(content) > longestContent ? "its content would be too long" : undefined;
}

function checkFlaw(path: string): CheckAnswer | undefined {
  const flaw = flawOfPath(path);
  return flaw === undefined ? undefined : refusal(flaw);
}

function refusal(detail: string): Refused {
  return { kind: "error", detail };
}

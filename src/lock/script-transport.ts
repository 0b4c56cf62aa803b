import { longestContent } from "./lock-record.ts";
import { acquireCommand, checkCommand, releaseCommand } from "./lock-script.ts";
import type { AcquireAnswer, CheckAnswer, LockTransport, Refused, Unknown } from "./lock-transport.ts";
import { sortAnswers, toAcquireAnswer, toCheckAnswer, toReleaseAnswer } from "./script-answers.ts";

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
  return {
    host,
    acquire: async ({ claims, thenCheck }, signal) => {
      const flaw = claims.map(({ path, content }) => flawOfPath(path) ?? flawOfContent(content)).find(Boolean);
      if (flaw !== undefined) return { claims: claims.map(() => refusal(flaw)), checks: [] };
      const sound = thenCheck.filter((path) => flawOfPath(path) === undefined);
      const result = await run(acquireCommand(claims, sound), signal);
      if (result.kind !== "answered") return { claims: claims.map(() => result), checks: [] };
      const answers = sortAnswers(result.lines);
      const taken = readClaims(claims.length, (index) => toAcquireAnswer(answers.get(index)));
      if (taken.some((answer) => answer.kind !== "acquired")) return { claims: taken, checks: [] };
      let number = claims.length;
      const checks = thenCheck.map((path) => checkFlaw(path) ?? toCheckAnswer(answers.get(number++)));
      return { claims: taken, checks };
    },
    check: async (paths, signal) => {
      const sound = paths.filter((path) => flawOfPath(path) === undefined);
      const result = sound.length === 0 ? undefined : await run(checkCommand(sound), signal);
      if (result !== undefined && result.kind !== "answered") return paths.map((path) => checkFlaw(path) ?? result);
      const answers = sortAnswers(result?.lines ?? []);
      let number = 0;
      return paths.map((path) => checkFlaw(path) ?? toCheckAnswer(answers.get(number++)));
    },
    release: async (locks, signal) => {
      const result = await run(releaseCommand(locks), signal);
      if (result.kind !== "answered") return locks.map(() => result);
      const answers = sortAnswers(result.lines);
      return locks.map((_, index) => toReleaseAnswer(answers.get(index)));
    },
  };
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

/** `.guard` and `.tmp.<token>` are added to the name, and no file system takes more than 255 bytes. */
const longestName = 220;

function flawOfPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "its path is not absolute";
  if (path.includes("\0")) return "its path contains a NUL character";
  if (path.endsWith("/")) return "its path ends in a slash";
  if (Buffer.byteLength(path) > 4000) return "its path is too long";
  return path.split("/").some((name) => Buffer.byteLength(name) > longestName) ? "its name is too long" : undefined;
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

import { AbortReason, childController, sleep } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import { interruptible } from "../interruptible.ts";
import type { FenceAnswer, HoldAnswer, LockTransport } from "../transport/lock-transport.ts";

/** Hold files of one host, and the way there. */
export interface WatchedHolds {
  readonly transport: LockTransport;
  readonly paths: readonly string[];
  /** The one of them in which tokens are declared dead. */
  readonly fence?: string | undefined;
}

interface LookOptions {
  readonly clock: Clock;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

const firstPauseMs = 50;
const longestPauseMs = 2000;

/**
 * Looks again and again until nothing is in the way any more. Returns what the last look found when
 * `withinMs` has passed or the signal is aborted; there is one look in any case.
 */
export async function lookUntilGone(
  look: (options: LookOptions) => Promise<string | undefined>,
  options: LookOptions,
): Promise<string | undefined> {
  const { clock, withinMs, signal } = options;
  const deadline = clock.monotonic() + withinMs;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
    const found = await look({ ...options, withinMs: Math.max(deadline - clock.monotonic(), longestPauseMs) });
    const left = deadline - clock.monotonic();
    if (found === undefined || left <= 0) return found;
    if (!(await sleep(Math.min(pause, left), { clock, signal }))) return found;
  }
}

/** Who still writes on that host, in words; undefined: its kernel says that nobody does. */
export async function findWriter(holds: WatchedHolds, options: LookOptions): Promise<string | undefined> {
  const answers = await askHolds(holds, options);
  return holds.paths.map((path, index) => describe(path, answers?.[index])).find((text) => text !== undefined);
}

/** Why no hold lock can be taken there. No obstacle: it can, or nobody can say. */
export async function findObstacle(
  holds: WatchedHolds,
  options: LookOptions,
): Promise<{ readonly answered: boolean; readonly obstacle: string | undefined }> {
  const answers = (await askHolds(holds, options)) ?? [];
  const obstacle = holds.paths
    .map((path, index) => ({ path, answer: answers[index] }))
    .map(({ path, answer }) => (answer?.kind === "error" ? `${path}: ${answer.detail}` : readOnly(path, answer, holds)))
    .find((text) => text !== undefined);
  return { answered: answers.some(({ kind }) => kind !== "unknown"), obstacle };
}

/** No later look would tell more: a directory has gone, and with it what was in it; the other hold files are free. */
export async function areHoldsGone(holds: WatchedHolds, options: LookOptions): Promise<boolean> {
  const answers = (await askHolds(holds, options)) ?? [];
  const isGone = (answer: HoldAnswer) => answer.kind === "error" && answer.noDirectory === true;
  return answers.some(isGone) && answers.every((answer) => isGone(answer) || answer.kind === "free");
}

function readOnly(path: string, answer: HoldAnswer | undefined, { fence }: WatchedHolds): string | undefined {
  if (path !== fence || answer === undefined || !("readOnly" in answer)) return undefined;
  return `${path}: this account may not write into it, and so could not turn writers away that come too late`;
}

/**
 * Has no writer let in any more with these tokens. Returns why that could not be done, in words; undefined: it is
 * done, and nobody writes with one of them.
 */
export async function declareDead(
  { transport, fence }: WatchedHolds,
  tokens: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  if (fence === undefined) return undefined;
  for (const token of tokens) {
    const trip = await interruptible(transport.fence({ path: fence, token }, signal), signal);
    const answer: FenceAnswer =
      trip.kind === "done" ? trip.value : { kind: "unknown", detail: "interrupted", mayHaveRun: true };
    if (answer.kind === "in-use") return describe(fence, answer);
    if (answer.kind !== "fenced") return `writers cannot be turned away by ${fence}: ${answer.detail}`;
  }
  return undefined;
}

/** Undefined: no answer in time. */
async function askHolds(
  { transport, paths }: WatchedHolds,
  { clock, withinMs, signal }: LookOptions,
): Promise<readonly HoldAnswer[] | undefined> {
  const ending = childController(signal);
  const expire = () => ending.abort(new AbortReason("timed-out", "the look took too long"));
  const cancelTimer = clock.setTimer(withinMs, expire);
  const look = await interruptible(transport.holds(paths, ending.signal), ending.signal);
  cancelTimer();
  ending.dispose();
  return look.kind === "done" ? look.value : undefined;
}

function describe(path: string, answer: HoldAnswer | undefined): string | undefined {
  switch (answer?.kind) {
    case "free":
      return undefined;
    case "in-use":
      return `a writer is still alive at the destination: it keeps ${path} locked`;
    case "error":
    case "unknown":
      return `nobody can say whether a writer is still alive at the destination: ${answer.detail}`;
    default:
      return "nobody can say whether a writer is still alive at the destination: no answer";
  }
}

import type {
  AcquireAnswer,
  AcquireResult,
  Claim,
  LockTransport,
  OwnLock,
  Refused,
  Unknown,
} from "./lock-transport.ts";
import { flawOfClaim, flawOfPath } from "./script-transport.ts";
import { NoAnswer, refusal } from "./sftp-files.ts";
import {
  acquireOverSftp,
  beatOverSftp,
  checkOverSftp,
  promoteOverSftp,
  releaseOverSftp,
  type SftpScope,
} from "./sftp-operations.ts";
import { probeOverSftp } from "./sftp-probe.ts";
import { createSftpQueue, type SftpQueueDeps, type TrackedScope } from "./sftp-queue.ts";

const noKernelLocks = "kernel locks are out of reach of sftp";
const neverBroken = "over sftp a lock cannot be broken safely: nothing keeps others away meanwhile";

/**
 * Locks for accounts that allow sftp only. There is no guard, so nobody breaks locks here; an owner
 * that died keeps its lock until a person takes it away.
 */
export function createSftpTransport(deps: SftpQueueDeps): LockTransport {
  const { endpoint } = deps;
  const enter = createSftpQueue(deps);

  /** One by one, and whatever became of the one before. */
  const each = <Item, Answer>(
    items: readonly Item[],
    signal: AbortSignal,
    operate: (item: Item, scope: SftpScope) => Promise<Answer>,
  ) =>
    enter<(Answer | Unknown | Refused)[]>(
      signal,
      async (scope) => {
        const answers: (Answer | Unknown | Refused)[] = [];
        for (const item of items) answers.push(await answerOf(scope, () => operate(item, scope)));
        return answers;
      },
      (failure) => items.map(() => failure),
    );
  const claimEach = async (claims: readonly Claim[], scope: TrackedScope) => {
    const answers: AcquireAnswer[] = [];
    for (const claim of claims) {
      const stopped = answers.some(({ kind }) => kind !== "acquired");
      answers.push(
        stopped ? { kind: "not-tried" } : await answerOf<AcquireAnswer>(scope, () => acquireOverSftp(claim, scope)),
      );
    }
    return answers;
  };
  /** Removals that were sent and not answered, by token and path. */
  const unlinked = new Set<string>();
  const onlyOnce = (lock: OwnLock): OwnLock => {
    const key = `${lock.token} ${lock.path}`;
    return {
      ...lock,
      mayUnlink: async () => {
        if (unlinked.has(key)) return false;
        unlinked.add(key);
        const may = (await lock.mayUnlink?.()) ?? true;
        // Nothing is sent: whoever forbade it, perhaps for want of space to write it down, is asked again.
        if (!may) unlinked.delete(key);
        return may;
      },
      unlinkAnswered: () => {
        unlinked.delete(key);
        lock.unlinkAnswered?.();
      },
    };
  };
  const checkAll = (paths: readonly string[], scope: TrackedScope) =>
    Promise.all(paths.map((path) => whenSound(path, () => answerOf(scope, () => checkOverSftp(path, scope)))));

  return {
    host: endpoint.host,
    acquire: ({ claims: asked, thenCheck, thenPromote = [], lookFirst = false }, signal) => {
      const claims = asked.map(withoutLease);
      const flaw = [...claims, ...thenPromote].map(flawOfClaim).find(Boolean);
      const none = { checks: [], promotions: [] };
      const paths = [...claims.map(({ path }) => path), ...thenCheck];
      if (flaw !== undefined) return Promise.resolve({ claims: claims.map(() => refusal(flaw)), ...none });
      return enter(
        signal,
        async (scope): Promise<AcquireResult> => {
          const looked = lookFirst ? await checkAll(paths, scope) : [];
          if (looked.some(({ kind }) => kind !== "absent"))
            return { claims: claims.map(() => ({ kind: "not-tried" })), ...none, looked };
          const taken = await claimEach(claims, scope);
          const all = taken.every(({ kind }) => kind === "acquired");
          return { claims: taken, checks: all ? await checkAll(thenCheck, scope) : [], promotions: [] };
        },
        (failure): AcquireResult => ({
          claims: claims.map(() => failure),
          ...none,
          // It was never begun.
          ...(lookFirst && { looked: paths.map(() => failure) }),
        }),
      );
    },
    check: (paths, signal) =>
      enter(
        signal,
        (scope) => checkAll(paths, scope),
        (failure) => paths.map(() => failure),
      ),
    release: (locks, signal) => each(locks.map(onlyOnce), signal, releaseOverSftp),
    beat: (locks, signal) => each(locks, signal, beatOverSftp),
    promote: (claims, signal) => {
      const flaw = claims.map(flawOfClaim).find(Boolean);
      return flaw === undefined
        ? each(claims.map(withoutLease), signal, promoteOverSftp)
        : Promise.resolve(claims.map(() => refusal(flaw)));
    },
    break: ({ token }) =>
      Promise.resolve(token === "" ? refusal("it has no token") : { kind: "unsupported", detail: neverBroken }),
    breakForeign: () => Promise.resolve({ kind: "unsupported", detail: neverBroken }),
    fingerprint: () => Promise.resolve({ kind: "unsupported", detail: neverBroken }),
    probe: (directories, signal) => each(directories, signal, probeOverSftp),
    holds: (paths) => Promise.resolve(paths.map(() => refusal(noKernelLocks))),
    fence: () => Promise.resolve({ kind: "unsupported", detail: noKernelLocks }),
  };
}

/**
 * What is written here cannot be given back under a condition, and so must not be broken by others that come to
 * the same file with a shell: a removal of ours that is still under way would hit their lock.
 */
function withoutLease(claim: Claim): Claim {
  const [first = "", second = "", ...rest] = claim.content.split("\n");
  const unbreakable = second.replace(/"ttl":\d+/, (field) => '"ttl":0'.padEnd(field.length));
  return { ...claim, content: [first, unbreakable, ...rest].join("\n") };
}

async function whenSound<T>(path: string, look: () => Promise<T>): Promise<T | Refused> {
  const flaw = flawOfPath(path);
  return flaw === undefined ? look() : refusal(flaw);
}

/** An operation that broke off may have been carried out only if it had come so far. */
async function answerOf<T>(scope: TrackedScope, operate: () => Promise<T>): Promise<T | Unknown> {
  scope.changing = false;
  try {
    return await operate();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    return { kind: "unknown", detail: error.message, mayHaveRun: scope.changing };
  }
}

import { setMaxListeners } from "node:events";
import { AbortReason, childController } from "../base/abort.ts";
import type { Target } from "../config/resolved.ts";

/** What became of one turn of a lane. */
export type Turn =
  | { readonly kind: "ok" }
  | { readonly kind: "warning"; readonly message: string; readonly isComplete: boolean }
  /** There was nothing to carry. */
  | { readonly kind: "nothing" }
  /** For good; `tried`: it was not only put off. */
  | { readonly kind: "failed"; readonly message: string; readonly tried: boolean }
  | { readonly kind: "cancelled" };

export interface Lanes {
  /** In the order in which they begin. */
  readonly targets: readonly Target[];
  readonly maxParallel: number;
  readonly signal: AbortSignal;
  /** One sync with its retries. */
  readonly takeTurn: (target: Target, lane: Lane) => Promise<Turn>;
  /** Whether a lane that is done takes further turns while others are still at their first. */
  readonly goesOn: boolean;
  /** Resolves to true when there may be something to carry again, to false when the signal is aborted. */
  readonly untilMore?: ((target: Target, signal: AbortSignal) => Promise<boolean>) | undefined;
}

export interface Lane {
  /** Aborted with that of all lanes, or when another lane has crashed. */
  readonly signal: AbortSignal;
  /** Lets somebody else work during a wait. */
  readonly rest: Rest;
}

export type Rest = <Value>(wait: () => Promise<Value>) => Promise<Value>;

/**
 * One sync for several targets, side by side: each in a lane of its own, at most so many at a time. A target that is
 * slow, or is tried again and again, keeps no other from what changes meanwhile; but once every lane has had its
 * first turn nobody begins another, so that the job comes to its end. Resolves when no lane works any more.
 */
export async function runLanes(lanes: Lanes): Promise<ReadonlyMap<string, Turn>> {
  const { targets, signal, takeTurn, goesOn, untilMore } = lanes;
  const controller = childController(signal);
  const { inTurn, rest } = createTurns(lanes.maxParallel);
  const firstsOver = new AbortController();
  for (const each of [controller.signal, firstsOver.signal]) setMaxListeners(0, each);
  let firsts = targets.length;

  const next = (target: Target): Promise<Turn> => {
    if (controller.signal.aborted) return Promise.resolve({ kind: "cancelled" });
    return takeTurn(target, { signal: controller.signal, rest });
  };
  const mayGoOn = (last: Turn) => goesOn && !firstsOver.signal.aborted && isCarried(last);
  const run = async (target: Target): Promise<Turn> => {
    let whole = await inTurn(() => next(target));
    firsts -= 1;
    if (firsts === 0) firstsOver.abort();
    for (let last = whole; mayGoOn(last); whole = join(whole, last)) {
      if (last.kind === "nothing" && !((await untilMore?.(target, firstsOver.signal)) ?? false)) break;
      last = await inTurn(() => (mayGoOn(last) ? next(target) : Promise.resolve<Turn>({ kind: "nothing" })));
    }
    return whole;
  };
  const settled = await Promise.allSettled(
    targets.map((target) =>
      run(target).catch((error: unknown) => {
        controller.abort(new AbortReason("cancelled", "another target of the job met an internal error"));
        firstsOver.abort();
        throw error;
      }),
    ),
  );
  controller.dispose();
  const crash = settled.find((end) => end.status === "rejected");
  if (crash !== undefined) throw crash.reason;
  return new Map(
    targets.map(({ id }, index) => {
      const end = settled[index];
      return [id, end?.status === "fulfilled" ? end.value : { kind: "cancelled" }];
    }),
  );
}

function isCarried(turn: Turn): boolean {
  return turn.kind === "ok" || turn.kind === "nothing" || (turn.kind === "warning" && turn.isComplete);
}

/** Of two turns that follow each other; a warning is not forgotten. */
function join(before: Turn, after: Turn): Turn {
  if (after.kind === "nothing") return before;
  if (before.kind !== "warning" || after.kind === "failed" || after.kind === "cancelled") return after;
  if (after.kind !== "warning") return before;
  return { ...after, message: [...new Set([before.message, after.message])].join("; ") };
}

/** Lets so many work at a time, in the order in which they ask. */
function createTurns(most: number): { inTurn: Rest; rest: Rest } {
  const waiting: (() => void)[] = [];
  let free = most;
  const begin = async () => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const end = () => {
    const following = waiting.shift();
    if (following === undefined) free += 1;
    else following();
  };
  return {
    inTurn: async (work) => {
      await begin();
      try {
        return await work();
      } finally {
        end();
      }
    },
    rest: async (wait) => {
      end();
      try {
        return await wait();
      } finally {
        await begin();
      }
    },
  };
}

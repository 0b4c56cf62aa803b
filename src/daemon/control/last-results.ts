import type { Emitter } from "../../base/emitter.ts";
import type { DirectorEvents, LastJobResult } from "../../model/events.ts";
import { isSuccess, saysSomething } from "../../model/run.ts";

export interface LastResults {
  /** `targetId` empty: of the job as a whole. undefined: it has none that anybody knows. */
  of(jobId: string, targetId: string): LastJobResult | undefined;
  all(): readonly LastJobResult[];
  /** Whether the history could say what had been before this director started. */
  isPastKnown(): boolean;
  stop(): void;
}

/**
 * How each job, and each of several targets, ended last. The past comes from the history; where that does not work
 * at first, when it does.
 */
export function keepLastResults(deps: {
  events: Emitter<DirectorEvents>;
  history: { lastJobResults(): readonly LastJobResult[]; state(): { readonly ok: boolean } };
}): LastResults {
  const { events, history } = deps;
  const results = new Map<string, LastJobResult>();
  let isPastKnown = false;

  const add = (result: LastJobResult) => {
    const key = keyOf(result.jobId, result.targetId);
    const known = results.get(key);
    const newer = known !== undefined && known.finishedAt > result.finishedAt ? known : result;
    const successes = [known?.lastSuccessAt, result.lastSuccessAt].flatMap((at) => at ?? []);
    results.set(key, { ...newer, lastSuccessAt: successes.length === 0 ? null : Math.max(...successes) });
  };
  const restore = () => {
    if (isPastKnown || !history.state().ok) return;
    const past = history.lastJobResults();
    isPastKnown = history.state().ok;
    past.forEach(add);
  };
  const unsubscribe = [
    events.on("target:result", ({ jobId, targetId, outcome: { kind: outcome }, at }) => {
      add({ jobId, targetId, outcome, finishedAt: at, lastSuccessAt: isSuccess(outcome) ? at : null });
    }),
    events.on("job:finished", ({ jobId, outcome, at }) => {
      if (!saysSomething(outcome)) return;
      const { kind } = outcome;
      add({ jobId, targetId: "", outcome: kind, finishedAt: at, lastSuccessAt: isSuccess(kind) ? at : null });
    }),
    events.on("history:state", restore),
  ];
  restore();
  return {
    of: (jobId, targetId) => results.get(keyOf(jobId, targetId)),
    all: () => [...results.values()],
    isPastKnown: () => isPastKnown,
    stop: () => unsubscribe.forEach((end) => end()),
  };
}

function keyOf(jobId: string, targetId: string): string {
  return `${jobId}\0${targetId}`;
}

import type { Emitter } from "../base/emitter.ts";
import type { Logger } from "../base/logger.ts";
import type { DirectorEvents } from "../model/events.ts";
import { isSuccess, type JobOutcome, worstOutcome } from "../model/run.ts";
import { createEvents } from "./observers.ts";

const pretended: JobOutcome = { kind: "skipped", cause: "dry-run", message: "dry run: nothing was copied" };

/**
 * The events of a director that only pretends. Whoever listens to `events` (history, metrics, notifications, status)
 * hears of no job, target or transfer that has succeeded: no copy is any fresher.
 */
export function pretendEvents(events: Emitter<DirectorEvents>, log: Logger): Emitter<DirectorEvents> {
  const own = createEvents(log);
  own.onAny((name, payload) => {
    const told = asPretended({ name, payload } as NamedEvent);
    if (told !== undefined) events.emit(told.name, told.payload as never);
  });
  return own;
}

type NamedEvent = {
  [Name in keyof DirectorEvents]: { readonly name: Name; readonly payload: DirectorEvents[Name] };
}[keyof DirectorEvents];

/** undefined: it has not happened. */
function asPretended(event: NamedEvent): NamedEvent | undefined {
  switch (event.name) {
    case "action:finished": {
      const { outcome } = event.payload;
      const report = outcome.report === null ? null : { ...outcome.report, stats: null };
      return { name: event.name, payload: { ...event.payload, outcome: { ...outcome, report } as typeof outcome } };
    }
    case "target:result":
      return isSuccess(event.payload.outcome.kind) ? undefined : event;
    case "job:finished":
      return { name: event.name, payload: { ...event.payload, outcome: outcomeOf(event.payload.outcome) } };
    case "run:finished": {
      const jobs = event.payload.jobs.map((job) => ({ ...job, outcome: outcomeOf(job.outcome) }));
      const outcome = worstOutcome(jobs.map((job) => job.outcome.kind));
      return { name: event.name, payload: { ...event.payload, jobs, outcome } };
    }
    default:
      return event;
  }
}

function outcomeOf(outcome: JobOutcome): JobOutcome {
  return isSuccess(outcome.kind) ? pretended : outcome;
}

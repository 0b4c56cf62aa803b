import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";

/** What was started when, kept so that no time runs twice: not after a restart, not when clocks go back. */
export interface ScheduleLedger {
  /** The newest time (ms) up to `until` that was claimed under this key; null when there was none. */
  lastScheduled(key: string, until: number): number | null;
  /** Records a start. False: this time, or this local label, was claimed before. */
  claim(key: string, scheduledFor: number, localLabel: string | null): boolean;
  /** Records when a plan was first seen, from which on it can have missed something. */
  note(key: string, instant: number): void;
}

interface Claim {
  readonly scheduledFor: number;
  readonly localLabel: string | null;
}

/** Enough for a clock that goes back by eight hours under a schedule that runs each minute. */
const keptPerKey = 500;

/** A ledger that is forgotten when the process ends. */
export function createMemoryLedger(): ScheduleLedger {
  /** In order of their claim. */
  const claims = new Map<string, readonly Claim[]>();
  const claimsOf = (key: string) => claims.get(key) ?? [];
  const ledger: ScheduleLedger = {
    lastScheduled: (key, until) => {
      const times = claimsOf(key).map(({ scheduledFor }) => scheduledFor);
      const known = times.filter((time) => time <= until);
      return known.length === 0 ? null : Math.max(...known);
    },
    claim: (key, scheduledFor, localLabel) => {
      const own = claimsOf(key);
      const isTaken = own.some(
        (claim) => claim.scheduledFor === scheduledFor || (localLabel !== null && claim.localLabel === localLabel),
      );
      if (isTaken) return false;
      claims.set(key, own.slice(1 - keptPerKey).concat({ scheduledFor, localLabel }));
      return true;
    },
    note: (key, instant) => void ledger.claim(key, instant, null),
  };
  return ledger;
}

/** A ledger that answers in any case. */
export interface DependableLedger extends ScheduleLedger {
  /** How often the ledger behind it has failed. */
  failures(): number;
}

/**
 * Asks `ledger`, and this process' own memory where that fails: a broken history must stop no backup.
 * The failure is logged when it begins and when it ends.
 */
export function createDependableLedger(ledger: ScheduleLedger, log: Logger): DependableLedger {
  const memory = createMemoryLedger();
  let failures = 0;
  let failing = false;
  const ask = <Answer>(question: () => Answer, otherwise: () => Answer): Answer => {
    try {
      const answer = question();
      if (failing) log.info({ failures }, "the record of scheduled runs works again");
      failing = false;
      return answer;
    } catch (error) {
      failures += 1;
      if (!failing) log.warn({ error: describeError(error) }, "the record of scheduled runs fails; schedules go on");
      failing = true;
      return otherwise();
    }
  };
  return {
    lastScheduled: (key, until) =>
      ask(
        () => ledger.lastScheduled(key, until),
        () => memory.lastScheduled(key, until),
      ),
    claim: (key, scheduledFor, localLabel) =>
      memory.claim(key, scheduledFor, localLabel) &&
      ask(
        () => ledger.claim(key, scheduledFor, localLabel),
        () => true,
      ),
    note: (key, instant) => {
      memory.note(key, instant);
      ask(
        () => ledger.note(key, instant),
        () => undefined,
      );
    },
    failures: () => failures,
  };
}

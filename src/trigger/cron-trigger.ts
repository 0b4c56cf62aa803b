import type { CancelTimer, Clock } from "../base/clock.ts";
import type { Emitter } from "../base/emitter.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { RunRequest } from "../model/run.ts";
import { createDependableLedger } from "./schedule-ledger.ts";
import type { ScheduleLedger } from "./schedule-ledger.ts";
import { latestTime, plannedTimes, upcomingTimes } from "./schedule-plan.ts";
import type { PlannedTime, SchedulePlan } from "./schedule-plan.ts";
import { formatZoned } from "./time-zone.ts";

export interface NextStart {
  key: string;
  jobs: readonly string[];
  /** null: the plan's expressions name no further day. */
  next: PlannedTime | null;
}

export interface CronTrigger {
  /** Logs the next times, makes up for missed ones as the plans say, and waits for the rest. */
  start(): void;
  stop(): void;
  /**
   * Goes on with the plans of another configuration. A plan that is as it was goes on where it is; any other begins
   * now: it has missed nothing so far.
   */
  replan(plans: readonly SchedulePlan[]): void;
  /** The next start of every plan, in the order of the plans. */
  next(): NextStart[];
  /** How often the ledger has failed since the start. */
  ledgerFailures(): number;
}

interface PlanState {
  readonly plan: SchedulePlan;
  /** Times up to here are settled. */
  cursor: number;
  next: PlannedTime | null;
}

type StartResult = "started" | "ran-before" | "not-started";

/** A start that is late by no more than this was not missed: a tick, a busy host, a short stop. */
const lateTolerance = 60_000;

/**
 * The wall clock is looked at this often at least, so that a jump, a suspend or a slow step of NTP is
 * seen soon; a timer counts on another clock and would sleep through it.
 */
const longestSleep = 20_000;

/** Keeps a clock that stands still, or a timer that fires early, from making a busy loop. */
const shortestSleep = 10;

/**
 * Starts runs at the times of the plans. All plans share one timer; whether a time has come is decided
 * by the wall clock alone, and whether it has run already by the ledger alone.
 */
export function createCronTrigger(options: {
  plans: readonly SchedulePlan[];
  submit: (request: RunRequest) => void;
  ledger: ScheduleLedger;
  clock: Clock;
  events: Emitter<DirectorEvents>;
  log: Logger;
}): CronTrigger {
  const { submit, clock, events, log } = options;
  let { plans } = options;
  const ledger = createDependableLedger(options.ledger, log);
  let states: PlanState[] = [];
  let cancelTimer: CancelTimer | undefined;

  /** `last`: the time of the plan that came due last, where that is known. */
  const settle = (state: PlanState, cursor: number, last: number | null): void => {
    state.cursor = cursor;
    state.next = plannedTimes(state.plan, cursor).next().value ?? null;
    events.emit("schedule:next", {
      jobs: state.plan.jobs,
      schedule: state.next?.schedule ?? expressionsOf(state.plan).join(", "),
      last: last === null ? null : last + state.plan.offsetMs,
      next: state.next?.startsAt ?? null,
    });
  };

  const tick = (): void => {
    const now = clock.now();
    for (const state of states) {
      // The clock was put back, or a wrong one left a record from the future: neither may silence the plan
      // till then. Times in between that have run are refused by the ledger.
      if (state.cursor - now > lateTolerance) settle(state, now - state.plan.offsetMs, null);
    }
    const due = states.flatMap((state) => (isDue(state.next, now) ? [{ state, time: state.next }] : []));
    due.sort((a, b) => a.time.startsAt - b.time.startsAt);
    for (const { state, time } of due) {
      const { plan, cursor } = state;
      const latest = latestTime(plan, cursor, now - plan.offsetMs) ?? time;
      settle(state, latest.scheduledFor, latest.scheduledFor);
      startOrSkip(plan, { oldest: time, latest, now });
    }
    arm();
  };

  /** Whatever was missed together is one run at most. */
  const startOrSkip = (plan: SchedulePlan, times: { oldest: PlannedTime; latest: PlannedTime; now: number }): void => {
    const { oldest, latest, now } = times;
    const late = now - latest.startsAt;
    if (late <= lateTolerance) {
      const result = startRun(plan, latest, false);
      if (now - oldest.startsAt > lateTolerance) reportMissed(plan, oldest, result === "started");
      return;
    }
    const { onMissed, startingDeadlineMs = Infinity } = plan.scheduling;
    const wanted = onMissed === "once" && late <= startingDeadlineMs;
    const result = wanted ? startRun(plan, latest, true) : "not-started";
    if (result !== "ran-before") reportMissed(plan, latest, result === "started");
  };

  const startRun = (plan: SchedulePlan, time: PlannedTime, missed: boolean): StartResult => {
    const { schedule, scheduledFor, localLabel } = time;
    const fields = { jobs: plan.jobs, schedule, scheduledFor: formatZoned(scheduledFor, plan.zone) };
    // Claimed first: after a crash between the two a run is missing, which the next time makes good.
    if (!ledger.claim(plan.key, scheduledFor, localLabel)) {
      log.warn(fields, "this time has run already; it is not run again");
      return "ran-before";
    }
    log.info({ ...fields, missed }, "schedule is due");
    try {
      submit({ jobs: plan.jobs, cause: { kind: "schedule", schedule, scheduledFor, missed } });
      return "started";
    } catch (error) {
      log.error({ ...fields, error: describeError(error) }, "scheduled run was not accepted");
      return "not-started";
    }
  };

  const reportMissed = (plan: SchedulePlan, time: PlannedTime, ran: boolean): void => {
    const { schedule, scheduledFor } = time;
    const fields = { jobs: plan.jobs, schedule, scheduledFor: formatZoned(scheduledFor, plan.zone), ran };
    log.warn(fields, "scheduled time was missed");
    events.emit("schedule:missed", { jobs: plan.jobs, schedule, scheduledFor, ran });
  };

  const arm = (): void => {
    cancelTimer?.();
    cancelTimer = undefined;
    if (!states.some((state) => state.next !== null)) return;
    const soonest = states.reduce((least, state) => Math.min(least, state.next?.startsAt ?? Infinity), Infinity);
    const wait = Math.max(shortestSleep, Math.min(longestSleep, soonest - clock.now()));
    cancelTimer = clock.setTimer(wait, tick);
  };

  const begin = (plan: SchedulePlan, unseen: PlanState[]): PlanState => {
    const now = clock.now();
    // What a clock that was far ahead has left says nothing of what was missed since.
    const last = ledger.lastScheduled(plan.key, now + lateTolerance);
    const fresh = now - plan.offsetMs;
    const state: PlanState = { plan, cursor: fresh, next: null };
    settle(state, last ?? fresh, last === null || isOffTheMinute(last) ? null : last);
    if (last === null) unseen.push(state);
    return state;
  };

  const beginAnew = (plan: SchedulePlan): PlanState => {
    const cursor = clock.now() - plan.offsetMs;
    ledger.note(plan.key, offTheMinute(cursor));
    logUpcoming(plan, clock.now(), log);
    const state: PlanState = { plan, cursor, next: null };
    settle(state, cursor, null);
    return state;
  };

  return {
    start: () => {
      for (const plan of plans) logUpcoming(plan, clock.now(), log);
      const unseen: PlanState[] = [];
      states = plans.map((plan) => begin(plan, unseen));
      // What a new plan misses before its first run can only be told from when it was first seen. All of
      // them after the last question, so that a thousand share one write to the disk.
      for (const { plan, cursor } of unseen) ledger.note(plan.key, offTheMinute(cursor));
      tick();
    },
    stop: () => {
      cancelTimer?.();
      cancelTimer = undefined;
      states = [];
    },
    replan: (wanted) => {
      // What has come due under the old plans is still theirs.
      tick();
      const known = new Map(states.map((state) => [state.plan.key, state]));
      plans = wanted;
      states = wanted.map((plan) => {
        const before = known.get(plan.key);
        if (before === undefined || !hasSameTimes(before.plan, plan)) return beginAnew(plan);
        const state = { ...before, plan };
        settle(state, state.cursor, isOffTheMinute(state.cursor) ? null : state.cursor);
        return state;
      });
      arm();
    },
    next: () => states.map(({ plan, next }) => ({ key: plan.key, jobs: plan.jobs, next })),
    ledgerFailures: () => ledger.failures(),
  };
}

/** Expressions name whole minutes only, so this instant can never be one of theirs. */
function offTheMinute(instant: number): number {
  return isOffTheMinute(instant) ? instant : instant + 1;
}

function isOffTheMinute(instant: number): boolean {
  return instant % 60_000 !== 0;
}

function isDue(time: PlannedTime | null, now: number): time is PlannedTime {
  return time !== null && time.startsAt <= now;
}

function hasSameTimes(one: SchedulePlan, other: SchedulePlan): boolean {
  return (
    one.offsetMs === other.offsetMs &&
    one.zone.name === other.zone.name &&
    one.scheduling.cronDialect === other.scheduling.cronDialect &&
    expressionsOf(one).join("\n") === expressionsOf(other).join("\n")
  );
}

function expressionsOf(plan: SchedulePlan): string[] {
  return plan.times.map((times) => times.fields.expression);
}

function logUpcoming(plan: SchedulePlan, now: number, log: Logger): void {
  const next = upcomingTimes(plan, now - plan.offsetMs, 3).map((time) => formatZoned(time.startsAt, plan.zone));
  log.info({ jobs: plan.jobs, schedules: expressionsOf(plan), timezone: plan.zone.name, next }, "next times");
}

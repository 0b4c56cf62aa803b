import type { CancelTimer, Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import type { KeptChild, StartChild } from "../../base/kept-child.ts";
import type { Logger } from "../../base/logger.ts";
import type { DirectorEvents } from "../../model/events.ts";
import { BackOff } from "../../watch/back-off.ts";
import { listSome } from "./list-some.ts";

/** Keeps the machine from falling asleep by itself while jobs work. */
export interface SleepInhibitor {
  reconfigure(isWanted: boolean): void;
  /** Resolves when nothing of it is left. */
  close(): Promise<void>;
}

interface SleepInhibitorDeps {
  readonly events: Emitter<DirectorEvents>;
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly log: Logger;
  readonly rsyncId: string;
}

/** The inhibitor is a process: short jobs do without, and in a row of jobs it changes hands no more often than this. */
const settleMs = 1000;

/** What is granted and lost again and again is not asked for without pause: each time is a process and a line of the log. */
const losing = { delayMs: settleMs, maxDelayMs: 60_000, backoff: 2 };

/** Ends with its standard input: with the director, however that ends. */
const saysWhenHeld = ["sh", "-c", "echo held; exec cat"];

/**
 * Has logind put off sleep from the moment a job has its locks until they are free: a director that is frozen holds
 * them for others, with half a copy behind them. A job that waits keeps nothing awake. Where there is no logind, or it
 * refuses, runs go on as ever.
 */
export function inhibitSleep(deps: SleepInhibitorDeps, isWanted: boolean): SleepInhibitor {
  const { events, clock, log } = deps;
  const working = new Map<string, string>();
  const children = new Set<KeptChild>();
  /** Those that nobody has stopped, oldest first: each stays until one that was asked for later is granted. */
  let asked: { readonly why: string; readonly child: KeptChild }[] = [];
  /** What was asked for last; after a refusal what there still is, if anything. */
  let why: string | undefined;
  let wanted = isWanted;
  let cancelTimer: CancelTimer | undefined;
  let cancelRetry: CancelTimer | undefined;
  const losses = new BackOff(losing);
  let toldFailure = false;

  const stop = (some: typeof asked): void => {
    asked = asked.filter((one) => !some.includes(one));
    for (const { child } of some) child.stop();
  };
  const take = (whyNow: string): void => {
    let said = "";
    let heldSince: number | undefined;
    const child = deps.startChild(inhibitCommand({ rsyncId: deps.rsyncId, why: whyNow }, saysWhenHeld), {
      onOutput: () => {
        toldFailure = false;
        heldSince ??= clock.monotonic();
        // Only now, so that there is no moment without one.
        stop(asked.slice(0, Math.max(0, asked.indexOf(taken))));
      },
      onErrorOutput: (text) => void (said += text),
    });
    const taken = { why: whyNow, child };
    asked.push(taken);
    children.add(child);
    void child.ended.then(({ message }) => {
      children.delete(child);
      if (!asked.includes(taken)) return;
      const isLast = asked.at(-1) === taken;
      asked = asked.filter((one) => one !== taken);
      const error = said.trim() || message;
      // That logind refuses may be as it should be; that what it had granted is gone is not.
      if (heldSince !== undefined) log.warn({ error }, "sleep is not put off any more while jobs run: asking again");
      else if (!toldFailure) log.debug({ error }, "sleep is not put off while jobs run");
      toldFailure ||= heldSince === undefined;
      const now = clock.monotonic();
      if (heldSince !== undefined && now - heldSince >= losing.maxDelayMs) losses.succeeded();
      if (heldSince !== undefined || (asked.length === 0 && losses.failures > 0)) losses.failed(now);
      if (!isLast) return;
      const before = asked.at(-1);
      // One before it says less than it should, and keeps the host awake all the same.
      if (before !== undefined) why = before.why;
      else if (losses.failures > 0) {
        why = undefined;
        adjustSoon();
      }
    });
  };
  const adjust = (): void => {
    cancelTimer = undefined;
    cancelRetry?.();
    const whyNow = wanted && working.size > 0 ? `running: ${listSome([...new Set(working.values())])}` : undefined;
    // Whoever works next has lost nothing yet.
    if (whyNow === undefined) losses.succeeded();
    if (whyNow === why) return;
    const pause = losses.until - clock.monotonic();
    if (pause > 0) return void (cancelRetry = clock.setTimer(pause, adjust));
    why = whyNow;
    if (whyNow === undefined) stop(asked);
    else take(whyNow);
  };
  const adjustSoon = (): void => void (cancelTimer ??= clock.setTimer(settleMs, adjust));

  const keyOf = ({ runId, jobId }: { runId: string; jobId: string }) => `${runId} ${jobId}`;
  const unsubscribe = [
    events.on("job:fencing", (event) => {
      working.set(keyOf(event), event.jobId);
      adjustSoon();
    }),
    events.on("job:finished", (event) => {
      if (working.delete(keyOf(event))) adjustSoon();
    }),
  ];
  return {
    reconfigure: (isWantedNow) => {
      wanted = isWantedNow;
      adjustSoon();
    },
    close: async () => {
      unsubscribe.forEach((end) => end());
      cancelTimer?.();
      cancelRetry?.();
      asked = [];
      for (const child of children) child.stop();
      await Promise.all([...children].map(({ ended }) => ended));
    },
  };
}

/**
 * Runs a program while sleep is put off. Not `shutdown`: systemd stops a director in good order, and a person who wants
 * to reboot may.
 */
export function inhibitCommand(
  { rsyncId, why }: { rsyncId: string; why: string },
  program: readonly string[],
): readonly [string, ...string[]] {
  const lock = ["--what=sleep", "--mode=block", `--who=rsyncdirector (${rsyncId})`, `--why=${why}`];
  return ["systemd-inhibit", ...lock, ...program];
}

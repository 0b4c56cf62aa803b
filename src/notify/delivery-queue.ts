import { AbortReason } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { DeliveryRetry } from "../config/resolved-notify.ts";
import type { NotifyOutcome } from "../model/events.ts";
import type { Delivery, Send } from "./channel-sender.ts";
import { summarize } from "./compose-notice.ts";
import type { Notice } from "./notice.ts";
import { planDelivery, rateLimit, retryAfter } from "./plan-delivery.ts";
import { tryDelivery } from "./try-delivery.ts";

/** So many notices wait for a channel at most; then the oldest gives way, and is counted. */
const mostWaiting = 100;

/** What of a queue outlives the director. */
export interface QueueState {
  readonly waiting: readonly Notice[];
  /** Failed tries to deliver the first of them. */
  readonly tries: number;
  /** Notices that were not kept, and that nobody was told of yet. */
  readonly dropped: number;
}

export interface DeliveryQueue {
  add(notices: readonly Notice[]): void;
  state(): QueueState;
  /** Takes no more, lets what can be delivered go out until the time is up, and keeps the rest. */
  close(graceMs: number): Promise<void>;
}

export interface QueueOptions {
  readonly channel: string;
  readonly send: Send;
  readonly timeoutMs: number;
  readonly retry: DeliveryRetry;
  readonly isUnlimited: boolean;
  readonly before: QueueState | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** After every change of what waits. */
  readonly onChange: () => void;
  readonly onOutcome: (outcome: NotifyOutcome) => void;
}

/** Delivers the notices of one channel in their order, one after the other, and tries again what failed. */
export function createDeliveryQueue(options: QueueOptions): DeliveryQueue {
  const { channel, clock, log, onChange, onOutcome } = options;
  let waiting: readonly Notice[] = options.before?.waiting ?? [];
  let tries = options.before?.tries ?? 0;
  let dropped = options.before?.dropped ?? 0;
  let sentAt: number[] = [];
  let underWay: Promise<void> | undefined;
  let cancelTimer: (() => void) | undefined;
  let isClosing = false;
  const stop = new AbortController();

  /** Does what is next, unless something is under way or a time is waited for. */
  function proceed(): void {
    if (underWay !== undefined || cancelTimer !== undefined || stop.signal.aborted) return;
    const now = clock.monotonic();
    sentAt = sentAt.filter((at) => now - at < rateLimit.perMs);
    const plan = planDelivery({ waiting: waiting.length, sentAt, now, isUnlimited: options.isUnlimited });
    if (plan.kind === "idle") return;
    if (plan.kind === "wait") return later(plan.ms);
    underWay = deliver(plan.count).finally(() => {
      underWay = undefined;
      proceed();
    });
  }

  /** Nothing is waited for while the director stops: what is not delivered now is kept. */
  function later(ms: number): void {
    if (isClosing) return;
    cancelTimer = clock.setTimer(ms, () => {
      cancelTimer = undefined;
      proceed();
    });
  }

  async function deliver(count: number): Promise<void> {
    const batch = waiting.slice(0, count);
    const [first] = batch;
    if (first === undefined) return;
    const lost = dropped;
    const notice = batch.length === 1 && lost === 0 ? first : summarize(batch, { dropped: lost });
    const { send, timeoutMs } = options;
    const delivery = await tryDelivery(notice, { send, timeoutMs, clock, signal: stop.signal });
    // Stopped in the middle: whether it arrived is not known, so it is sent again.
    if (stop.signal.aborted && delivery.kind === "failed") return;
    conclude(delivery, { batch, lost, notice });
    onChange();
  }

  function conclude(
    delivery: Delivery,
    { batch, lost, notice }: { batch: readonly Notice[]; lost: number; notice: Notice },
  ): void {
    const fields = { channel, event: notice.event, title: notice.title, detail: delivery.detail };
    if (delivery.kind === "delivered") {
      sentAt.push(clock.monotonic());
      settle(batch, lost);
      onOutcome("delivered");
      log.info(fields, "notification delivered");
      return;
    }
    tries += 1;
    const failedTries = tries;
    const delayMs = delivery.isFinal ? null : retryAfter(tries, options.retry);
    if (delayMs === null) {
      settle(batch, lost);
      onOutcome("failed");
      log.error({ ...fields, tries: failedTries }, "notification could not be delivered, and is given up");
      return;
    }
    onOutcome("retried");
    const level = failedTries === 1 ? "warn" : "debug";
    const wait = Math.min(Math.max(delayMs, delivery.retryAfterMs ?? 0), Math.max(delayMs, options.retry.maxDelayMs));
    log[level]({ ...fields, tries: failedTries, retryInMs: wait }, "notification could not be delivered yet");
    later(wait);
    if (isClosing) stop.abort(new AbortReason("shutdown", "the director stops"));
  }

  /** Those of a batch are done with; they may have given way to others meanwhile. */
  function settle(batch: readonly Notice[], lost: number): void {
    const done = new Set(batch);
    waiting = waiting.filter((notice) => !done.has(notice));
    dropped -= lost;
    tries = 0;
  }

  proceed();
  return {
    add: (notices) => {
      if (notices.length === 0) return;
      const all = [...waiting, ...notices];
      const surplus = Math.max(0, all.length - mostWaiting);
      waiting = all.slice(surplus);
      if (surplus > 0) {
        if (dropped === 0)
          log.error({ channel, waiting: mostWaiting }, "too many notifications wait: the oldest are not kept");
        dropped += surplus;
        for (let count = 0; count < surplus; count += 1) onOutcome("dropped");
      }
      onChange();
      proceed();
    },
    state: () => ({ waiting, tries, dropped }),
    close: async (graceMs) => {
      isClosing = true;
      cancelTimer?.();
      // What waits for its next try has failed just now; trying once more would only take the time.
      if (cancelTimer !== undefined) return;
      const timeIsUp = clock.setTimer(graceMs, () => stop.abort(new AbortReason("shutdown", "the director stops")));
      while (underWay !== undefined) await underWay;
      timeIsUp();
      stop.abort(new AbortReason("shutdown", "the director stops"));
    },
  };
}

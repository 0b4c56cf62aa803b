/** So many messages may be sent over a channel within this time; what is more is summed up in one. */
export const rateLimit = { messages: 10, perMs: 600_000 } as const;

/** What to do next with the messages that wait for a channel. */
export type DeliveryPlan =
  | { readonly kind: "idle" }
  /** The first `count` of them go out as one message. */
  | { readonly kind: "send"; readonly count: number }
  | { readonly kind: "wait"; readonly ms: number };

/**
 * `sentAt`: when messages went out, in order, on the clock of `now`. The last message that the limit allows sums up
 * all that wait, so that nobody gets more than so many however much happens.
 */
export function planDelivery(state: {
  readonly waiting: number;
  readonly sentAt: readonly number[];
  readonly now: number;
  /** Every message has to arrive by itself: a program reads it. */
  readonly isUnlimited: boolean;
}): DeliveryPlan {
  const { waiting, sentAt, now, isUnlimited } = state;
  if (waiting === 0) return { kind: "idle" };
  if (isUnlimited) return { kind: "send", count: 1 };
  const recent = sentAt.filter((at) => now - at < rateLimit.perMs);
  const left = rateLimit.messages - recent.length;
  const [oldest] = recent;
  if (left <= 0 && oldest !== undefined) return { kind: "wait", ms: oldest + rateLimit.perMs - now };
  return { kind: "send", count: left === 1 ? waiting : 1 };
}

/** How long to wait before the try that follows `tries` failed ones; null: no more tries. */
export function retryAfter(
  tries: number,
  retry: { readonly limit: number; readonly delayMs: number; readonly maxDelayMs: number },
): number | null {
  if (tries > retry.limit) return null;
  return Math.min(retry.maxDelayMs, retry.delayMs * 2 ** Math.min(tries - 1, 40));
}

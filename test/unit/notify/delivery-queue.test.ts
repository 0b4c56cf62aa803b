import { describe, expect, it } from "vitest";
import type { Delivery, Send } from "../../../src/notify/channel-sender.ts";
import { createDeliveryQueue, type QueueOptions } from "../../../src/notify/delivery-queue.ts";
import type { Notice } from "../../../src/notify/notice.ts";
import { planDelivery, retryAfter } from "../../../src/notify/plan-delivery.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { buildNotice } from "../../support/build-notice.ts";

const delivered: Delivery = { kind: "delivered", detail: "" };
const failing: Delivery = { kind: "failed", detail: "no", isFinal: false };
const notices = (count: number, from = 1) =>
  Array.from({ length: count }, (_, index) => buildNotice({ title: `n${from + index}`, message: "" }));

function setUp(
  answer: (notice: Notice, signal: AbortSignal) => Delivery | Promise<Delivery>,
  options: Partial<QueueOptions> = {},
) {
  const clock = new FakeClock();
  const log = createMemoryLog();
  const sent: string[] = [];
  const messages: string[] = [];
  const outcomes: string[] = [];
  const send: Send = async (notice, signal) => {
    sent.push(notice.title);
    messages.push(notice.message);
    return answer(notice, signal);
  };
  const queue = createDeliveryQueue({
    ...{ channel: "phone", send, timeoutMs: 5000, retry: { limit: 3, delayMs: 1000, maxDelayMs: 3000 } },
    ...{ isUnlimited: false, before: undefined, clock, log, onChange: () => undefined },
    onOutcome: (outcome) => void outcomes.push(outcome),
    ...options,
  });
  return { clock, log, sent, messages, outcomes, queue };
}

/** A sender that answers only when it is stopped. */
const hangs = (_: Notice, signal: AbortSignal) =>
  new Promise<Delivery>((resolve) => {
    signal.addEventListener("abort", () =>
      resolve({ ...failing, detail: (signal.reason as Error).message } as Delivery),
    );
  });

describe("the plan of a delivery", () => {
  const at = (count: number) => Array.from({ length: count }, (_, index) => index);
  it.each([
    ["nothing", { waiting: 0, sentAt: [], isUnlimited: false }, { kind: "idle" }],
    ["one after the other", { waiting: 3, sentAt: at(8), isUnlimited: false }, { kind: "send", count: 1 }],
    [
      "all at once as the last that the limit allows",
      { waiting: 3, sentAt: at(9), isUnlimited: false },
      { kind: "send", count: 3 },
    ],
    ["none above the limit", { waiting: 3, sentAt: at(10), isUnlimited: false }, { kind: "wait", ms: 599_000 }],
    ["one each to a program", { waiting: 3, sentAt: at(50), isUnlimited: true }, { kind: "send", count: 1 }],
  ])("is %s", (_what, state, plan) => {
    expect(planDelivery({ ...state, now: 1000 })).toEqual(plan);
  });

  it("waits twice as long after each failure, up to a bound, and gives up after the last", () => {
    const retry = { limit: 4, delayMs: 10, maxDelayMs: 30 };
    expect([1, 2, 3, 4, 5].map((tries) => retryAfter(tries, retry))).toEqual([10, 20, 30, 30, null]);
  });
});

describe("the queue of a channel", () => {
  it("delivers in order, and tries again what failed before what comes after it", async () => {
    let failures = 2;
    const test = setUp(() => ((failures -= 1) >= 0 ? failing : delivered));
    test.queue.add(notices(2));
    await test.clock.advance(999);
    expect(test.sent).toEqual(["n1"]);
    await test.clock.advance(1);
    await test.clock.advance(2000);
    expect(test.sent).toEqual(["n1", "n1", "n1", "n2"]);
    expect(test.outcomes).toEqual(["retried", "retried", "delivered", "delivered"]);
    expect(test.queue.state()).toEqual({ waiting: [], tries: 0, dropped: 0 });
    expect(test.clock.pendingTimers).toBe(0);
  });

  it("gives up after the last try, says so, and goes on with the next", async () => {
    const test = setUp(({ title }) => (title === "n1" ? failing : delivered));
    test.queue.add(notices(2));
    await test.clock.advance(60_000);
    expect(test.sent).toEqual(["n1", "n1", "n1", "n1", "n2"]);
    expect(test.outcomes).toEqual(["retried", "retried", "retried", "failed", "delivered"]);
    expect(test.log.messages("error")).toEqual(["notification could not be delivered, and is given up"]);
  });

  it("does not try again what would fail again", async () => {
    const test = setUp(() => ({ ...failing, isFinal: true }) as Delivery);
    test.queue.add(notices(1));
    await test.clock.advance(60_000);
    expect(test.outcomes).toEqual(["failed"]);
  });

  it("waits as long as the server asks for, but not longer than the bound", async () => {
    const test = setUp(() => ({ ...failing, retryAfterMs: 2500 }) as Delivery);
    test.queue.add(notices(1));
    await test.clock.advance(2499);
    expect(test.sent).toHaveLength(1);
    await test.clock.advance(1);
    expect(test.sent).toHaveLength(2);
  });

  it("is never a storm: ten messages, of which the last sums up the rest", async () => {
    const test = setUp(() => delivered);
    test.queue.add(notices(47));
    await test.clock.advance(0);
    expect(test.sent).toHaveLength(10);
    expect(test.sent.at(-1)).toBe("nas: 38 messages at once");
    expect(test.messages.at(-1)?.split("\n")).toEqual([...notices(10, 10).map(({ title }) => title), "and 28 more"]);
    test.queue.add(notices(5, 48));
    await test.clock.advance(599_999);
    expect(test.sent).toHaveLength(10);
    await test.clock.advance(1);
    expect(test.sent.slice(10)).toEqual(["n48", "n49", "n50", "n51", "n52"]);
  });

  it("keeps a hundred, and counts the older ones that give way", async () => {
    const test = setUp(() => failing, { retry: { limit: 1000, delayMs: 1000, maxDelayMs: 1000 } });
    test.queue.add(notices(1));
    await test.clock.advance(0);
    test.queue.add(notices(130, 2));
    expect(test.queue.state()).toMatchObject({ dropped: 31 });
    expect(test.queue.state().waiting).toHaveLength(100);
    expect(test.outcomes.filter((outcome) => outcome === "dropped")).toHaveLength(31);
    await test.clock.advance(1000);
    expect(test.sent.at(-1)).toBe("nas: 32 messages at once");
  });

  it("ends a try that takes too long", async () => {
    const test = setUp(hangs);
    test.queue.add(notices(1));
    await test.clock.advance(5000);
    expect(test.log.lines[0]).toMatchObject({ fields: { detail: "there was no answer within 5s" } });
    expect(test.outcomes).toEqual(["retried"]);
  });

  it("goes on where an earlier life ended", async () => {
    const test = setUp(() => failing, { before: { waiting: notices(1), tries: 3, dropped: 0 } });
    await test.clock.advance(0);
    expect(test.outcomes).toEqual(["failed"]);
  });

  it("delivers at its end what can be delivered in time", async () => {
    const test = setUp(() => delivered);
    test.queue.add(notices(3));
    await test.queue.close(1000);
    expect(test.sent).toEqual(["n1", "n2", "n3"]);
    expect(test.queue.state().waiting).toEqual([]);
  });

  it("keeps at its end what hangs, with what waits behind it, and stops trying", async () => {
    const test = setUp(hangs);
    test.queue.add(notices(2));
    const closed = test.queue.close(1000);
    await test.clock.advance(1000);
    await closed;
    expect(test.queue.state()).toMatchObject({ waiting: notices(2), tries: 0 });
    expect(test.sent).toEqual(["n1"]);
    expect(test.clock.pendingTimers).toBe(0);
  });

  it("waits at its end for nothing that failed already", async () => {
    const test = setUp(() => failing);
    test.queue.add(notices(2));
    await test.clock.advance(0);
    await test.queue.close(60_000);
    expect(test.sent).toEqual(["n1"]);
    expect(test.queue.state().waiting).toHaveLength(2);
  });
});

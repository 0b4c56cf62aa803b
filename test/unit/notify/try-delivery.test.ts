import { expect, it } from "vitest";
import { AbortReason } from "../../../src/base/abort.ts";
import { tryDelivery } from "../../../src/notify/try-delivery.ts";
import { buildNotice } from "../../support/build-notice.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const deaf = () => new Promise<never>(() => undefined);

it("gives up a sender that does not even stop when it is told to", async () => {
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const delivery = tryDelivery(buildNotice({}), { send: deaf, timeoutMs: 1000, clock, signal });
  await clock.advance(6000);
  expect(await delivery).toMatchObject({ kind: "failed", detail: "there was no answer within 1s", isFinal: false });
  expect(clock.pendingTimers).toBe(0);
});

it("does not wait for such a sender when the director stops", async () => {
  const clock = new FakeClock();
  const stop = new AbortController();
  const delivery = tryDelivery(buildNotice({}), { send: deaf, timeoutMs: 60_000, clock, signal: stop.signal });
  stop.abort(new AbortReason("shutdown", "the director stops"));
  await clock.advance(5000);
  expect(await delivery).toMatchObject({ kind: "failed", detail: "the director stops" });
});

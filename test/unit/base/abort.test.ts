import { describe, expect, it } from "vitest";
import { AbortReason, abortReasonOf, childController, sleep } from "../../../src/base/abort.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("abort", () => {
  it("keeps the first reason of a signal", () => {
    const controller = new AbortController();
    controller.abort(new AbortReason("timed-out", "too slow"));
    controller.abort(new AbortReason("shutdown", "stop"));
    expect(abortReasonOf(controller.signal)).toMatchObject({ kind: "timed-out", message: "too slow" });
  });

  it("reads a foreign reason as cancelled", () => {
    const controller = new AbortController();
    controller.abort();
    expect(abortReasonOf(controller.signal).kind).toBe("cancelled");
  });

  it("sleeps to the end, or wakes at once when it is aborted, and leaves no timer", async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const whole = sleep(1000, { signal: controller.signal, clock });
    await clock.advance(1000);
    expect(await whole).toBe(true);
    const cut = sleep(1000, { signal: controller.signal, clock });
    controller.abort(new AbortReason("shutdown", "stop"));
    expect(await cut).toBe(false);
    expect(await sleep(1000, { signal: controller.signal, clock })).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });

  it("aborts a child with its parent's reason, and a child alone", () => {
    const parent = new AbortController();
    const child = childController(parent.signal);
    const alone = childController(parent.signal);
    alone.abort(new AbortReason("cancelled", "by hand"));
    expect(parent.signal.aborted).toBe(false);
    parent.abort(new AbortReason("shutdown", "stop"));
    expect(abortReasonOf(child.signal).kind).toBe("shutdown");
    expect(abortReasonOf(alone.signal).kind).toBe("cancelled");
    expect(childController(parent.signal).signal.aborted).toBe(true);
  });

  it("lets go of the parent when a child is disposed", () => {
    const parent = new AbortController();
    const child = childController(parent.signal);
    child.dispose();
    parent.abort(new AbortReason("shutdown", "stop"));
    expect(child.signal.aborted).toBe(false);
  });
});

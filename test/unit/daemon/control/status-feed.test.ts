import { expect, it } from "vitest";
import { createStatusFeed } from "../../../../src/daemon/control/status-feed.ts";
import type { InstanceStatus } from "../../../../src/model/status.ts";
import { EventLog } from "../../../support/event-log.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";

function setUp() {
  const clock = new FakeClock();
  const events = new EventLog();
  let version = 0;
  let asked = 0;
  const status = () => {
    asked += 1;
    return { version: `${version}`, at: clock.now() } as InstanceStatus;
  };
  const feed = createStatusFeed({ events, status, clock, log: createMemoryLog() });
  return {
    ...{ clock, feed, asked: () => asked },
    change: () => (version += 1),
    progress: () => events.emit("job:started", { runId: "1", jobId: "a", at: 0 }),
  };
}

it("tells a change at most once a second, and the last state of it", async () => {
  const { clock, feed, change, progress } = setUp();
  const seen: string[] = [];
  feed.listen(({ version }) => seen.push(version));
  for (let event = 0; event < 10; event += 1) {
    change();
    progress();
    await clock.advance(250);
  }
  expect(seen).toEqual(["4", "8"]);
  await clock.advance(1000);
  expect(seen).toEqual(["4", "8", "10"]);
});

it("says nothing when nothing has changed", async () => {
  const { clock, feed, progress } = setUp();
  const seen: string[] = [];
  feed.listen(({ version }) => seen.push(version));
  progress();
  await clock.advance(60_000);
  expect(seen).toEqual([]);
});

it("notices what changes without an event, such as a job that becomes stale", async () => {
  const { clock, feed, change } = setUp();
  const seen: string[] = [];
  feed.listen(({ version }) => seen.push(version));
  change();
  await clock.advance(15_000);
  expect(seen).toEqual(["1"]);
});

it("computes nothing while nobody listens", async () => {
  const { clock, feed, progress, asked } = setUp();
  const stop = feed.listen(() => undefined);
  stop();
  const before = asked();
  progress();
  await clock.advance(60_000);
  expect(asked()).toBe(before);
  expect(clock.pendingTimers).toBe(0);
});

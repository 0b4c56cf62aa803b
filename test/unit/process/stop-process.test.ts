import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { defaultStopGrace, stopProcessGroup } from "../../../src/process/stop-process.ts";
import type { StoppableGroup } from "../../../src/process/stop-process.ts";
import { FakeClock } from "../../support/fake-clock.ts";

type Sent = `${"leader" | "group"} ${NodeJS.Signals}`;

/** A group of a leader (1) and one child (2); each ends after a given time once the given signal came. */
function fakeGroup(
  clock: FakeClock,
  ends: { leaderOn?: Sent; childOn?: Sent | "leader's end" | "never"; afterMs?: number },
) {
  const start = clock.monotonic();
  const sent: [number, Sent][] = [];
  const living = new Set([1, 2]);
  let endLeader = () => {};
  const leaderEnded = new Promise<void>((resolve) => (endLeader = resolve));
  const remove = (pid: number) => {
    living.delete(pid);
    if (pid !== 1) return;
    endLeader();
    if (ends.childOn === "leader's end") living.delete(2);
  };
  const take = (what: Sent) => {
    sent.push([clock.monotonic() - start, what]);
    if (what === ends.leaderOn) clock.setTimer(ends.afterMs ?? 0, () => remove(1));
    if (what === ends.childOn) clock.setTimer(ends.afterMs ?? 0, () => remove(2));
    if (what === "group SIGKILL") for (const pid of [1, 2]) if (pid === 1 || ends.childOn !== "never") remove(pid);
  };
  const group: StoppableGroup = {
    leaderIsRunning: () => living.has(1),
    leaderEnded,
    living: () => [...living],
    signalLeader: (signal) => take(`leader ${signal}`),
    signalGroup: (signal) => take(`group ${signal}`),
  };
  return { group, sent, removeLeader: () => remove(1) };
}

async function stop(
  ends: Parameters<typeof fakeGroup>[1],
  options: { hurry?: AbortSignal; leaderGone?: boolean } = {},
) {
  const clock = new FakeClock();
  const { group, sent, removeLeader } = fakeGroup(clock, ends);
  if (options.leaderGone === true) removeLeader();
  let survivors: readonly number[] | undefined;
  const { hurry } = options;
  void stopProcessGroup(group, { grace: defaultStopGrace, hurry, clock, log: silentLogger }).then((pids) => {
    survivors = pids;
  });
  await clock.advance(60_000);
  return { sent, survivors, pendingTimers: clock.pendingTimers };
}

describe("stopping a process group", () => {
  it("asks the leader alone and is content when everything ends", async () => {
    const { sent, survivors, pendingTimers } = await stop({
      leaderOn: "leader SIGTERM",
      childOn: "leader's end",
      afterMs: 400,
    });
    expect(sent).toEqual([[0, "leader SIGTERM"]]);
    expect(survivors).toEqual([]);
    expect(pendingTimers).toBe(0);
  });

  it("asks what the leader left behind shortly after", async () => {
    const { sent, survivors } = await stop({ leaderOn: "leader SIGTERM", childOn: "group SIGTERM" });
    expect(sent).toEqual([
      [0, "leader SIGTERM"],
      [2000, "group SIGTERM"],
    ]);
    expect(survivors).toEqual([]);
  });

  it("goes from leader to group to KILL when nothing reacts", async () => {
    const { sent, survivors } = await stop({});
    expect(sent).toEqual([
      [0, "leader SIGTERM"],
      [20_000, "group SIGTERM"],
      [25_000, "group SIGKILL"],
    ]);
    expect(survivors).toEqual([]);
  });

  it("never signals a leader that has ended: its number may belong to somebody else", async () => {
    const { sent } = await stop({ childOn: "group SIGTERM" }, { leaderGone: true });
    expect(sent.map(([, what]) => what)).toEqual(["group SIGTERM"]);
  });

  it("names what even KILL does not end", async () => {
    const { survivors } = await stop({ childOn: "never" });
    expect(survivors).toEqual([2]);
  });

  it("gives no grace once somebody is in a hurry", async () => {
    const { sent, survivors } = await stop({}, { hurry: AbortSignal.abort() });
    expect(sent).toEqual([
      [0, "leader SIGTERM"],
      [0, "group SIGTERM"],
      [0, "group SIGKILL"],
    ]);
    expect(survivors).toEqual([]);
  });
});

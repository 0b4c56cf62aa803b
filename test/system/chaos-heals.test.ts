import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { bootTime } from "../chaos/commands.ts";
import { shortLease } from "../chaos/contender.ts";
import { broken, type Duel, lost, openDuel, push, says } from "../chaos/duel.ts";
import { readRecord } from "../chaos/history.ts";
import { waitUntil } from "../support/process-state.ts";

const longest = { timeoutMs: 300_000 };
const inSeconds = { renewDeadline: shortLease.renew_deadline, ttl: shortLease.ttl };

/** Signs of life of the writer's director that were confirmed, by when they were sent. */
function beatsOf({ trial }: Duel): number[] {
  const record = readRecord(join(trial.lab.root, "records", "push1.jsonl"));
  return record.filter(({ op, answer }) => op === "beat" && answer.is === "beaten").map(({ invoked }) => invoked);
}

/**
 * Cuts the network between the writer's director and the host of its lock right after a confirmed sign of life. `heal`
 * waits until so many seconds have passed since that was sent: all deadlines count from there.
 */
async function cut(duel: Duel) {
  const { lab } = duel.trial;
  const before = beatsOf(duel).length;
  await waitUntil("a sign of life is confirmed", () => beatsOf(duel).length > before);
  const beatAt = beatsOf(duel).at(-1) ?? 0;
  const heal = await lab.network.cut(lab.host("h1"), lab.host("h3"), "both");
  lab.note({ kind: "fault", fault: "partition", target: "h1 and h3" });
  return {
    beatAt,
    healAfter: async (seconds: number) => {
      await wait(Math.max(0, beatAt + seconds * 1000 - bootTime()));
      await heal();
      lab.note({ kind: "healed", fault: "partition", target: "h1 and h3" });
    },
  };
}

/** Both jobs end, one after the other, and nothing in the history is against the rules. */
async function expectGoodEnd({ trial, other }: Duel): Promise<void> {
  await trial.contender("push1").shorten();
  await other.waitForLine((line) => says("run finished")(line) && line["outcome"] === "ok", longest);
  expect((await trial.judge()).violations).toEqual([]);
}

// What follows when it heals only after others have broken the lock is in chaos-faults.test.ts.
describe.concurrent("a network that fails in both directions in mid-copy and comes back", () => {
  it.for([
    ["after a second", 1],
    ["ten seconds before the job would have to stop", inSeconds.renewDeadline - 10],
  ] as const)("%s: the job runs on to its end with its lock", async ([, seconds], context) => {
    const duel = await openDuel([push("push1", "h1", 60), push("push2", "h2", 1)], context, { aliveSeconds: 24 });
    const { long, other } = duel;
    const { healAfter } = await cut(duel);
    await healAfter(seconds);
    expect(duel.isWriting()).toBe(true);
    const confirmed = beatsOf(duel).length;
    await waitUntil("a sign of life is confirmed again", () => beatsOf(duel).length > confirmed);
    const end = await long.waitForLine(says("run finished"), longest);
    expect(end).toMatchObject({ outcome: "ok" });
    expect([...long.lines.filter(lost), ...other.lines.filter(broken)]).toEqual([]);
    await expectGoodEnd(duel);
  });

  it("half a minute after the job had to stop: it has stopped, its writer keeps the lock from everybody, and then it is given back", async (context) => {
    const duel = await openDuel([push("push1", "h1", 600), push("push2", "h2", 1)], context, { aliveSeconds: 24 });
    const { long, other } = duel;
    const { beatAt, healAfter } = await cut(duel);
    await long.waitForLine(lost, longest);
    await long.waitForLine(says("action finished"), longest);
    const healAt = inSeconds.renewDeadline + 30;
    expect(healAt).toBeLessThan(inSeconds.ttl);
    expect(bootTime() - beatAt).toBeLessThan(1000 * healAt);
    await healAfter(healAt);
    // The rsync on the other side outlived its client, and the lock was there for it.
    expect(duel.isWriting()).toBe(true);
    expect(other.lines.filter(broken)).toEqual([]);
    expect(await long.waitForLine(says("run finished"), longest)).toMatchObject({ outcome: "failed" });
    await expectGoodEnd(duel);
  });
});

import { describe, expect, it } from "vitest";
import { kill } from "../chaos/commands.ts";
import { shortLease } from "../chaos/contender.ts";
import { broken, lost, openDuel, push, says } from "../chaos/duel.ts";
import type { EntrySpec } from "../chaos/topology.ts";

const longest = { timeoutMs: 300_000 };

const inUse = (line: object) => "cause" in line && line.cause === "in-use";

describe.concurrent("a director and its writer, when", () => {
  it("the network between them fails: the job stops in time, and nobody breaks the lock while the writer lives", async (context) => {
    const specs = [push("push1", "h1", 600), push("push2", "h2", 1)] as const;
    const { trial, long, other, isWriting } = await openDuel(specs, context, { aliveSeconds: 24 });
    const { lab } = trial;
    const heal = await lab.network.cut(lab.host("h1"), lab.host("h3"), "both");
    lab.note({ kind: "fault", fault: "partition", target: "h1 and h3" });
    const cutAt = Date.now();
    await long.waitForLine(lost, longest);
    await long.waitForLine(says("action finished"), longest);
    expect(Date.now() - cutAt).toBeLessThan(shortLease.ttl * 1000);
    expect(isWriting()).toBe(true);
    await other.waitForLine(inUse, longest);
    expect(isWriting()).toBe(true);
    // Now the server notices that its client is gone, and the writer ends.
    await other.waitForLine(broken, longest);
    expect(isWriting()).toBe(false);
    await heal();
    lab.note({ kind: "healed", fault: "partition", target: "h1 and h3" });
    await trial.contender("push1").shorten();
    expect((await trial.judge()).violations).toEqual([]);
  });

  it("answers do not come back: for a moment it runs on, for longer it stops", async (context) => {
    const specs = [push("push1", "h1", 600), push("push2", "h2", 1)] as const;
    const { trial, long } = await openDuel(specs, context, { aliveSeconds: 15 });
    const { lab } = trial;
    const between = [lab.host("h3"), lab.host("h1"), "from"] as const;
    const healMoment = await lab.network.cut(...between);
    await long.waitForLine(says("lock in doubt"), longest);
    await healMoment();
    await long.waitForLine(says("lock confirmed again"), longest);
    expect(long.lines.some(lost)).toBe(false);
    const heal = await lab.network.cut(...between);
    await long.waitForLine(lost, longest);
    await long.waitForLine(says("action finished"), longest);
    await heal();
    lab.note({ kind: "healed", fault: "partition", target: "h3 to h1" });
    await trial.contender("push1").shorten();
    expect((await trial.judge()).violations).toEqual([]);
  });

  it("the director stands still: its lock stays until its writer has ended, and it finds out when it goes on", async (context) => {
    const specs = [push("push1", "h1", 140), push("push2", "h2", 1)] as const;
    const { trial, long, other, isWriting } = await openDuel(specs, context);
    kill(long.pid, "SIGSTOP");
    context.onTestFinished(() => kill(long.pid, "SIGCONT"));
    await other.waitForLine(inUse, longest);
    expect(isWriting()).toBe(true);
    await other.waitForLine(broken, longest);
    expect(isWriting()).toBe(false);
    await other.waitForLine(says("run finished"), longest);
    kill(long.pid, "SIGCONT");
    await long.waitForLine(lost, longest);
    await trial.contender("push1").shorten();
    expect((await trial.judge()).violations).toEqual([]);
  });

  it("the host of the lock reboots and forgets it: the job stops at once, and its writer was alone", async (context) => {
    const local = (name: string, seconds: number): EntrySpec => {
      const place = { host: "h2", destination: "h2", lockHost: "h3" };
      return { name, ...place, way: "local", locks: ["mutex"], group: "mutex", seconds };
    };
    const { trial, long, isWriting } = await openDuel([local("one", 600), local("two", 1)], context);
    trial.lab.note({ kind: "fault", fault: "reboot", target: "h3" });
    await trial.lab.reboot("h3");
    trial.lab.note({ kind: "healed", fault: "reboot", target: "h3" });
    expect(await long.waitForLine(lost, longest)).toMatchObject({ job: "one" });
    await long.waitForLine(says("action finished"), longest);
    expect(isWriting()).toBe(false);
    await trial.contender("one").shorten();
    expect((await trial.judge()).violations).toEqual([]);
  });
});

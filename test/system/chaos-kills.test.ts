import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { bootTime, kill } from "../chaos/commands.ts";
import type { History } from "../chaos/history.ts";
import type { Lab } from "../chaos/lab.ts";
import { type HostProcess, processesOn } from "../chaos/network.ts";
import type { EntrySpec } from "../chaos/topology.ts";
import { openTrial } from "../chaos/trial.ts";
import { whyNoLab } from "../chaos/why-no-lab.ts";
import { livingGroup, waitUntil } from "../support/process-state.ts";

const seed = 20_261_123;

const says = (text: string) => (line: { msg: string }) => line.msg.startsWith(text);

const push = (name: string, host: string, seconds: number): EntrySpec => {
  return { name, host, destination: "h3", way: "push", locks: ["mutex"], group: "mutex", seconds };
};

/** Which end of it rsync notices first, is chance. */
const lostConnection = /network error|ssh failed|connection broke/;

/** The processes of the only push that is under way, from h1 to h3. */
function pushUnderWay(lab: Lab, name: string) {
  const [here, there] = [processesOn(lab.host("h1")), processesOn(lab.host("h3"))];
  const [, writer] =
    lab.witness
      .living()
      .find((one) => one.startsWith(`${name}.`))
      ?.split(".") ?? [];
  const leader = here.find(
    (one) => one.name === "rsync" && !here.some(({ pid, name: of }) => pid === one.parent && of === "rsync"),
  );
  const ssh = here.find((one) => one.name === "ssh" && one.parent === leader?.pid);
  const remote = there.find(({ pid }) => pid === Number(writer));
  const receiver = there.find(({ parent, name: of }) => parent === remote?.pid && of === "rsync");
  let session: HostProcess | undefined = remote;
  while (session !== undefined && !session.name.startsWith("sshd")) {
    const { parent }: HostProcess = session;
    session = there.find(({ pid }) => pid === parent);
  }
  return { leader, ssh, session, remote, receiver };
}

/** Signs of life from then on that were answered by a lock that was still there. */
function ownerBeats({ operations }: History, owner: string, since: number): number {
  return operations.filter(
    ({ client, op, invoked, answer }) => client === owner && op === "beat" && invoked > since && answer.is === "beaten",
  ).length;
}

type Victim = keyof ReturnType<typeof pushUnderWay>;

describe.concurrent("a push of which one process is killed in the middle", () => {
  it.for<[title: string, victim: Victim, detail: RegExp, lingers: boolean]>([
    ["the leader of its rsync", "leader", /ended by SIGKILL, which this program did not send/, true],
    ["its ssh", "ssh", lostConnection, true],
    ["its session of sshd at the destination", "session", lostConnection, true],
    ["the rsync at the destination", "remote", lostConnection, false],
    ["the half of that rsync that receives", "receiver", lostConnection, false],
  ])(
    "fails, keeps its lock until nobody writes, and works the next time: %s",
    async ([, victim, detail, lingers], context) => {
      const missing = whyNoLab();
      if (missing !== undefined) return context.skip(missing);
      const trial = await openTrial([push("long", "h1", 30), push("other", "h2", 1)], { seed });
      context.onTestFinished(({ task }) => trial.close({ forget: task.result?.state === "pass" }));
      const { lab } = trial;
      const long = await trial.contender("long").start();
      const all = () => Object.values(pushUnderWay(lab, "long"));
      await waitUntil("the copy is under way", () => all().every((one) => one !== undefined));
      const other = await trial.contender("other").start();
      await other.waitForLine(says("job waits for a lock"));

      const found = pushUnderWay(lab, "long");
      const { leader, [victim]: hit } = found;
      if (leader === undefined || hit === undefined) throw new Error("the copy has ended already");
      const group = Number((await execa("ps", ["-o", "pgid=", "-p", String(leader.pid)])).stdout);
      expect(await livingGroup(group)).toContain(leader.pid);
      expect(long.lines.some(says("action finished"))).toBe(false);
      lab.note({ kind: "fault", fault: "kill", target: `${victim} ${hit.pid}` });
      // Who writes does not notice for a while that its other side has gone.
      const writers = lingers ? [found.remote?.pid, found.receiver?.pid] : [];
      for (const pid of writers) kill(pid, "SIGSTOP");
      kill(hit.pid, "SIGKILL");
      const action = await long.waitForLine(says("action finished"));
      expect(action).toMatchObject({ outcome: "failed", detail: expect.stringMatching(detail) });
      if (lingers) {
        const since = bootTime();
        await context.expect.poll(() => ownerBeats(trial.history(), "long", since)).toBeGreaterThan(0);
        expect([long, other].flatMap(({ lines }) => lines.filter(says("run finished")))).toEqual([]);
        expect(lab.witness.living()).toEqual([expect.stringMatching(/^long\./)]);
      }
      for (const pid of writers) kill(pid, "SIGCONT");
      lab.note({ kind: "healed", fault: "kill", target: `${victim} ${hit.pid}` });
      expect(await long.waitForLine(says("run finished"))).toMatchObject({ outcome: "failed" });
      expect(await livingGroup(group)).toEqual([]);
      await trial.contender("long").shorten();
      const { violations, figures } = await trial.judge();
      expect(violations).toEqual([]);
      // It was given back, not taken away by the one that waits; and both have written since.
      expect(figures.locksBroken).toBe(0);
      expect(figures.writers).toBeGreaterThanOrEqual(3);
    },
  );
});

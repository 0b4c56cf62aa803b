import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RunRequest } from "../../../src/model/run.ts";
import { RunQueue } from "../../../src/run/run-queue.ts";

const request = (...jobs: string[]): RunRequest => ({ jobs, cause: { kind: "signal" } });
const run = (runId: string, ...jobs: string[]) => ({ runId, request: request(...jobs), needs: new Set(jobs) });
const ids = (runs: readonly { runId: string }[]) => runs.map((entry) => entry.runId);

describe("run queue", () => {
  it("starts runs that share no job side by side", () => {
    const queue = new RunQueue();
    queue.add(run("a", "one"));
    queue.add(run("b", "two"));
    expect(ids(queue.takeReady())).toEqual(["a", "b"]);
  });

  it("holds a run back until the jobs it shares have ended", () => {
    const queue = new RunQueue();
    queue.add(run("a", "one", "two"));
    queue.takeReady();
    queue.add(run("b", "two"));
    expect(queue.takeReady()).toEqual([]);
    queue.jobFinished("a", "one");
    expect(queue.takeReady()).toEqual([]);
    queue.jobFinished("a", "two");
    expect(ids(queue.takeReady())).toEqual(["b"]);
  });

  it("takes no run for what has changed for a complete one, but a complete one for both", () => {
    const queue = new RunQueue();
    const changed: RunRequest = { jobs: ["one"], cause: { kind: "watch", path: "/srv" } };
    queue.add({ runId: "changes", request: changed, needs: new Set(["one"]) });
    expect(queue.findCovering(changed)?.runId).toBe("changes");
    expect(queue.findCovering(request("one"))).toBeUndefined();
    queue.clearWaiting();
    queue.add(run("complete", "one"));
    expect(queue.findCovering(changed)?.runId).toBe("complete");
  });

  it("does not let a later run overtake a waiting one that needs the same job", () => {
    const queue = new RunQueue();
    queue.add(run("a", "one"));
    queue.takeReady();
    queue.add(run("both", "one", "two"));
    queue.add(run("late", "two"));
    expect(queue.takeReady()).toEqual([]);
    queue.runFinished("a");
    expect(ids(queue.takeReady())).toEqual(["both"]);
    queue.runFinished("both");
    expect(ids(queue.takeReady())).toEqual(["late"]);
  });

  it("finds the waiting run that covers a request, and only a waiting one", () => {
    const queue = new RunQueue();
    queue.add(run("a", "one", "two"));
    expect(queue.findCovering(request("two"))?.runId).toBe("a");
    expect(queue.findCovering(request("two", "three"))).toBeUndefined();
    queue.takeReady();
    expect(queue.findCovering(request("two"))).toBeUndefined();
  });

  it("never runs a job twice at once and finishes every run, whatever the order of requests", () => {
    const jobs = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(jobs, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (requests, choices) => {
        const queue = new RunQueue();
        const active: { runId: string; jobs: string[] }[] = [];
        const done: string[] = [];
        const start = () => {
          for (const ready of queue.takeReady()) active.push({ runId: ready.runId, jobs: [...ready.needs] });
          const running = active.flatMap((entry) => entry.jobs);
          expect(new Set(running).size).toBe(running.length);
        };
        requests.forEach((needed, index) => {
          queue.add(run(String(index), ...needed));
          start();
        });
        while (active.length > 0) {
          const entry = active[(choices.next().value as number) % active.length] as (typeof active)[number];
          const job = entry.jobs.shift();
          if (job !== undefined) queue.jobFinished(entry.runId, job);
          if (entry.jobs.length === 0) {
            active.splice(active.indexOf(entry), 1);
            queue.runFinished(entry.runId);
            done.push(entry.runId);
          }
          start();
        }
        expect(done.length).toBe(requests.length);
      }),
    );
  });
});

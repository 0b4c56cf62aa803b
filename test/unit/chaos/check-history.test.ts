import { describe, expect, it } from "vitest";
import { checkHistory } from "../../chaos/check-history.ts";
import type { History } from "../../chaos/history.ts";
import { MadeUpHistory } from "../../chaos/made-up-history.ts";

const p = "/locks/p";
const q = "/locks/q";

const violated = (history: History) => [...new Set(checkHistory(history).violations.map(({ property }) => property))];
const mutex = () => new MadeUpHistory(["a", "b"].map((name) => ({ name, locks: [p] })));
/** Both have run, so that nobody is missed. */
const fair = () => mutex().hold("a", p, "a0", [0, 100]).hold("b", p, "b0", [200, 300]);
const pair = () =>
  new MadeUpHistory([
    { name: "a", locks: [p], blocks: [q] },
    { name: "b", locks: [q], blocks: [p] },
  ]);

/** An attempt with everything that a job has to do before it runs. */
function run(history: MadeUpHistory, name: "a" | "b", token: string, [from, to]: [number, number]): MadeUpHistory {
  const [own, other] = name === "a" ? [p, q] : [q, p];
  return history
    .add(name, "acquire", own, { at: from, token, is: "acquired", state: "claim", trip: from })
    .add(name, "check", other, { at: from, is: "absent", trip: from })
    .add(name, "promote", own, { at: from, token, is: "promoted", trip: from })
    .add(name, "release", own, { at: to, token, is: "released" });
}

describe("the checker of histories", () => {
  it("has nothing against turns that follow each other", () => {
    expect(checkHistory(fair()).violations).toEqual([]);
    expect(checkHistory(run(run(pair(), "a", "a1", [0, 100]), "b", "b1", [200, 300])).violations).toEqual([]);
  });

  it("counts what happened", () => {
    const history = fair().event({ t: 1, kind: "fault", fault: "partition", target: "h1 and h2" });
    expect(checkHistory(history).figures).toMatchObject({ contenders: 2, locksTaken: 2, runs: 2, partitions: 1 });
  });

  describe("S1, one owner", () => {
    it("sees two owners of one file", () => {
      const history = fair().hold("a", p, "a1", [1000, 2000]).hold("b", p, "b1", [1500, 2500]);
      expect(violated(history)).toContain("S1");
    });

    it("does not blame a client that took a lock after its owner's lease was broken", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("b", "break", p, { at: 200_000, token: "a1", is: "broken" })
        .hold("b", p, "b1", [200_100, 201_000])
        .add("a", "beat", p, { at: 202_000, token: "a1", is: "absent" });
      expect(violated(history)).toEqual([]);
    });

    it("lets the life of a lock end with its director", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .event({ t: 1500, kind: "ended", client: "a", pid: 1, how: "SIGKILL" })
        .add("a", "release", p, { at: 2000, token: "a1", is: "released", life: 2 })
        .hold("b", p, "b1", [3000, 4000]);
      expect(violated(history)).toEqual([]);
    });
  });

  describe("S2, jobs that list each other", () => {
    it("sees both run", () => {
      const history = run(run(pair(), "a", "a1", [0, 1000]), "b", "b1", [500, 1500]);
      expect(violated(history)).toEqual(["S2"]);
    });

    it("does not mind jobs of which only one lists the other", () => {
      const oneSided = new MadeUpHistory([
        { name: "a", locks: [p], blocks: [q] },
        { name: "b", locks: [q] },
      ]);
      expect(violated(run(run(oneSided, "a", "a1", [0, 1000]), "b", "b1", [500, 1500]))).toEqual([]);
    });

    it("excuses a run whose lock was gone with its directory", () => {
      const history = run(pair(), "a", "a1", [0, 1000]).event({ t: 400, kind: "wiped", directory: "/locks" });
      expect(violated(run(history, "b", "b1", [500, 1500]))).not.toContain("S2");
    });
  });

  describe("S3, one writer", () => {
    const writer = { job: "a", started: 1000, ended: 2000 };

    it("sees a writer that began beside another, whoever owned the locks", () => {
      const history = fair()
        .write({ id: "one", ...writer })
        .write({ id: "two", ...writer, job: "b", others: ["one"] });
      expect(violated(history)).toEqual(["S3"]);
    });

    it("sees two writers of the same job", () => {
      const history = fair()
        .write({ id: "one", ...writer })
        .write({ id: "two", ...writer, others: ["one"] });
      expect(violated(history)).toEqual(["S3"]);
    });

    it("sees a writer without a hold lock", () => {
      expect(violated(fair().write({ id: "one", ...writer, holds: [] }))).toEqual(["S3"]);
    });

    it("does not mind writers that do not exclude each other", () => {
      const history = new MadeUpHistory(["a", "b"].map((name) => ({ name, locks: [`/locks/${name}`] })))
        .hold("a", "/locks/a", "a1", [0, 10])
        .hold("b", "/locks/b", "b1", [0, 10])
        .write({ id: "one", ...writer })
        .write({ id: "two", ...writer, job: "b", others: ["one"] });
      expect(violated(history)).toEqual([]);
    });
  });

  describe("S4, removal", () => {
    it("sees a lock given back by one who never took it", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("b", "release", p, { at: 1500, token: "a1", is: "released" });
      expect(violated(history)).toEqual(["S4"]);
    });

    it("sees a lock broken although its owner gave signs of life", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("a", "beat", p, { at: 140_000, token: "a1", is: "beaten" })
        .add("b", "break", p, { at: 200_000, token: "a1", is: "broken" });
      expect(violated(history)).toEqual(["S4"]);
    });

    it("accepts that a dead owner's lock is broken at once on the host where it died", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .event({ t: 1500, kind: "ended", client: "a", pid: 1, how: "SIGKILL" })
        .add("b", "break", p, { at: 2000, token: "a1", is: "broken", host: null });
      expect(violated(history)).toEqual([]);
    });

    it.each(["release", "break"] as const)("sees a %s while a writer lives", (op) => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("a", op, p, { at: 200_000, token: "a1", is: op === "release" ? "released" : "broken" })
        .write({ id: "one", job: "a", started: 1100, ended: 210_000, tokens: ["a1"] });
      expect(violated(history)).toEqual(["S4"]);
    });

    it("sees a lock vanish that nobody removed, as by an unlink", () => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("a", "beat", p, { at: 2000, token: "a1", is: "beaten" })
        .add("b", "acquire", p, { at: 3000, token: "b1", is: "acquired" })
        .add("a", "release", p, { at: 4000, token: "a1", is: "lost", found: "b1" })
        .add("b", "release", p, { at: 5000, token: "b1", is: "released" });
      expect(violated(history)).toEqual(["S1", "S2", "S4"]);
    });

    it.each([
      ["a release without an answer", "release"],
      ["a break without an answer", "break"],
    ] as const)("takes %s for what may have removed it", (_, op) => {
      const history = fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .add("a", op, p, { at: 200_000, until: Infinity, token: "a1", is: "unknown", sent: true })
        .add("b", "check", p, { at: 201_000, is: "absent" });
      expect(violated(history)).toEqual([]);
    });

    it("sees a lock come back that was given back", () => {
      const history = fair()
        .hold("a", p, "a1", [1000, 2000])
        .add("b", "check", p, { at: 3000, is: "held", found: "a1" });
      expect(violated(history)).toEqual(["S4"]);
    });
  });

  describe("S5, unknown is not free", () => {
    const attempt = (look: Parameters<MadeUpHistory["add"]>[3] | undefined) => {
      const history = run(run(pair(), "a", "a0", [0, 10]), "b", "b0", [100, 110])
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired", state: "claim", trip: 2000 })
        .add("a", "promote", p, { at: 3000, token: "a1", is: "promoted", trip: 2002 })
        .add("a", "release", p, { at: 4000, token: "a1", is: "released" });
      return look === undefined ? history : history.add("a", "check", q, look);
    };

    it.each([
      ["no look", undefined],
      ["a look before the claim", { at: 500, is: "absent", trip: 1999 }],
      ["a look without an answer", { at: 2000, is: "unknown", sent: true, trip: 2001 }],
      ["a look that failed", { at: 2000, is: "error", trip: 2001 }],
      ["a look that found a lock", { at: 2000, is: "held", found: "somebody", trip: 2001 }],
    ])("sees a job that ran after %s", (_, look) => {
      expect(violated(attempt(look))).toEqual(["S5"]);
    });

    it("accepts a proven absence, and the job's own lock", () => {
      expect(violated(attempt({ at: 2000, is: "absent", trip: 2001 }))).toEqual([]);
      expect(violated(attempt({ at: 2000, is: "held", found: "a1", trip: 2001 }))).toEqual([]);
    });
  });

  describe("progress", () => {
    it("misses a job that never ran, one that did not run again, and what was left behind", () => {
      const history = mutex()
        .hold("a", p, "a1", [0, 100])
        .event({ t: 1000, kind: "starved", client: "a" })
        .event({ t: 1000, kind: "left", paths: [`${p}.tmp.x`] });
      const { violations } = checkHistory(history);
      expect(violations.map(({ what }) => what)).toEqual([
        "b never ran",
        "a did not run again when nothing was wrong any more",
        `${p}.tmp.x was left behind`,
      ]);
    });

    it("tells of a director that ended by itself", () => {
      const ended = { t: 1000, kind: "ended", client: "a", pid: 1 } as const;
      const history = fair()
        .event({ ...ended, how: "SIGKILL" })
        .event({ ...ended, how: "1" });
      expect(checkHistory(history).violations.map(({ what }) => what)).toEqual(["the director a ended with 1"]);
    });

    const crashed = (removedAt: number) =>
      fair()
        .add("a", "acquire", p, { at: 1000, token: "a1", is: "acquired" })
        .event({ t: 2000, kind: "ended", client: "a", pid: 1, how: "SIGKILL" })
        .add("b", "check", p, { at: 3000, is: "held", found: "a1" })
        .add("b", "break", p, { at: removedAt, until: removedAt, token: "a1", is: "broken" });

    it("measures how long a dead owner blocked others", () => {
      expect(checkHistory(crashed(140_000)).figures).toMatchObject({ longestBlockMs: 138_000, crashes: 1 });
      expect(violated(crashed(140_000))).toEqual([]);
      expect(violated(crashed(260_000))).toEqual(["L2"]);
    });

    it("counts only the time in which nothing else was wrong", () => {
      const history = crashed(260_000).event({ t: 200_000, kind: "healed", fault: "partition", target: "h1" });
      expect(checkHistory(history).figures.longestCalmBlockMs).toBe(60_000);
      expect(violated(history)).toEqual([]);
    });
  });
});

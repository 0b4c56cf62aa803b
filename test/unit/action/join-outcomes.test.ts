import { describe, expect, it } from "vitest";
import { joinOutcomes, mayGoOn } from "../../../src/action/join-outcomes.ts";
import type { ActionOutcome, ActionReport } from "../../../src/model/run.ts";

const report = (over: Partial<ActionReport> = {}): ActionReport => ({
  ...{ argv: ["rsync"], exitCode: 0, signal: null, stats: null, output: "" },
  ...over,
});
const failed = (over: Partial<ActionReport>, message = "failed"): ActionOutcome => ({
  ...{ kind: "failed", cause: "exit", message, retryable: true, report: report(over) },
});

describe("the calls of one action", () => {
  it("end as the worst of them, under the first one's command", () => {
    const joined = joinOutcomes([
      { kind: "ok", report: report({ argv: ["first"], output: "a\n" }) },
      failed({ argv: ["second"], exitCode: 23, output: "b\n", survivors: [7] }, "one"),
      { kind: "warning", message: "mind", report: report({ exitCode: 24, survivors: [8] }) },
      failed({ exitCode: 25 }, "two"),
    ]);
    expect(joined).toEqual({
      ...{ kind: "failed", cause: "exit", message: "one; two", retryable: true },
      report: { argv: ["first"], exitCode: 23, signal: null, stats: null, output: "a\nb\n", survivors: [7, 8] },
    });
  });

  it("of which one only found that files had gone are warned of by the code that says more", () => {
    const gone: ActionOutcome = { kind: "warning", message: "gone", report: report({ exitCode: 24 }) };
    const partial: ActionOutcome = { kind: "warning", message: "partial", report: report({ exitCode: 23 }) };
    const left: ActionOutcome = { kind: "warning", message: "left processes", report: report() };
    for (const outcomes of [
      [gone, partial],
      [left, partial, gone],
    ])
      expect(joinOutcomes(outcomes)).toMatchObject({ kind: "warning", report: { exitCode: 23 } });
    expect(joinOutcomes([left, gone])).toMatchObject({ message: "left processes; gone", report: { exitCode: 24 } });
  });

  describe("of which one was stopped", () => {
    const stopped = (over: Partial<ActionReport> | null): ActionOutcome => ({
      ...{ kind: "cancelled", reason: "shutdown", message: "stopped" },
      report: over === null ? null : report(over),
    });

    it("were stopped, also when one before did what it could; what that said, and its code, are not lost", () => {
      const partial = failed({ exitCode: 23 }, "some files are missing");
      expect(joinOutcomes([partial, stopped({ exitCode: 20 })])).toMatchObject({
        ...{ kind: "cancelled", reason: "shutdown", message: "stopped; some files are missing" },
        report: { exitCode: 20 },
      });
      expect(joinOutcomes([stopped(null), partial])).toMatchObject({ kind: "cancelled", report: { exitCode: 23 } });
      expect(joinOutcomes([failed({ exitCode: 25 }), stopped({ signal: "SIGTERM" })])).toMatchObject({
        kind: "cancelled",
      });
    });

    it("have failed when another had failed altogether, or left somebody who may still write", () => {
      for (const over of [{ exitCode: 12 }, { exitCode: 23, turnedAway: true }, { exitCode: 23, survivors: [7] }]) {
        expect(joinOutcomes([stopped({ exitCode: 20 }), failed(over, "bad")])).toMatchObject({
          ...{ kind: "failed", message: "bad" },
          report: { exitCode: over.exitCode },
        });
      }
    });
  });

  it("are one call where there is one, and nothing where there is none", () => {
    const only = failed({});
    expect(joinOutcomes([only])).toBe(only);
    expect(joinOutcomes([])).toMatchObject({ kind: "ok", report: { argv: [], exitCode: null, turnedAway: true } });
  });

  it("have written unless every one of them was turned away", () => {
    const away = failed({ turnedAway: true });
    expect(joinOutcomes([away, away])).toMatchObject({ report: { turnedAway: true } });
    expect(joinOutcomes([away, { kind: "ok", report: report() }]).report).not.toHaveProperty("turnedAway");
  });

  it("go on only after one that did what it could", () => {
    expect([{ exitCode: 23 }, { exitCode: 25 }].map((over) => mayGoOn(failed(over)))).toEqual([true, true]);
    expect(
      [{ exitCode: 12 }, { exitCode: null }, { exitCode: 23, turnedAway: true }].map((over) => mayGoOn(failed(over))),
    ).toEqual([false, false, false]);
    expect(mayGoOn({ kind: "cancelled", reason: "shutdown", message: "", report: null })).toBe(false);
  });
});

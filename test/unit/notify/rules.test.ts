import { describe, expect, it } from "vitest";
import { noticeEvents, type NoticeEvent } from "../../../src/config/notice-words.ts";
import type { Freshness } from "../../../src/model/status.ts";
import type { Ended, Happening } from "../../../src/notify/happening.ts";
import type { Memory } from "../../../src/notify/memory.ts";
import { judge, remind, type News, type Rules } from "../../../src/notify/rules.ts";

const usual: Rules = {
  id: "phone",
  on: ["failure", "recovery", "stale"],
  jobs: undefined,
  afterSkips: undefined,
  repeatEveryMs: undefined,
  timeoutMs: 1000,
  retry: { limit: 1, delayMs: 1, maxDelayMs: 1 },
  tellsEachTime: false,
};
const everything: Rules = { ...usual, on: noticeEvents, afterSkips: 1 };

const ended = (outcome: Ended["outcome"], more: Partial<Ended> = {}): Happening => ({
  ...{ kind: "ended", runId: "run", jobId: "home", targetId: "", at: 0, outcome, message: `${outcome}!` },
  ...{ isToldOfTargets: false, log: "", exitCode: null, durationMs: 1000 },
  ...more,
});
const fresh = (freshness: Freshness, targetId = ""): Happening => ({
  ...{ kind: "freshness", jobId: "home", targetId, at: 0, freshness, lastSuccessAt: null },
});
const started: Happening = { kind: "started", runId: "run", jobId: "home", at: 0 };
const blocked: Happening = { kind: "blocked", runId: "run", jobId: "home", detail: "held", at: 0 };

/** What is told of a row of happenings, each a minute after the one before. */
function tell(rules: Rules, happenings: readonly Happening[], before: Memory = {}): { news: News[]; memory: Memory } {
  let memory = before;
  const news = happenings.flatMap((happening, index) => {
    const judged = judge(rules, memory, { ...happening, at: (index + 1) * 60_000 });
    ({ memory } = judged);
    return judged.news;
  });
  return { news, memory };
}
const words = (news: readonly News[]) =>
  news.map(({ event, targetId }) => (targetId === "" ? event : `${event} ${targetId}`));

const [ok, warning, failed, skipped, cancelled] = (["ok", "warning", "failed", "skipped", "cancelled"] as const).map(
  (outcome) => ended(outcome),
) as [Happening, Happening, Happening, Happening, Happening];

describe("what a channel tells", () => {
  it.each<[string, Rules, Happening[], string[]]>([
    ["nothing of what is well", usual, [started, ok, blocked, warning, ok], []],
    ["a failure once", usual, Array<Happening>(10).fill(failed), ["failure"]],
    ["a recovery once", usual, [failed, failed, ok, ok], ["failure", "recovery"]],
    ["a recovery with a warning", usual, [failed, warning], ["failure", "recovery"]],
    ["a failure after a recovery", usual, [failed, ok, failed], ["failure", "recovery", "failure"]],
    ["nothing of a stop, which ends no failure", usual, [failed, cancelled, failed, ok], ["failure", "recovery"]],
    ["nothing of a skip, which ends no failure", usual, [failed, skipped, failed], ["failure"]],
    ["staleness once", usual, [fresh("stale"), fresh("stale"), fresh("fresh"), fresh("fresh")], ["stale", "recovery"]],
    [
      "one recovery of two troubles",
      usual,
      [failed, fresh("stale"), ok, fresh("fresh")],
      ["failure", "stale", "recovery"],
    ],
    [
      "a failure also after copies are fresh again",
      usual,
      [failed, fresh("stale"), fresh("fresh"), failed, ok],
      ["failure", "stale", "recovery", "recovery"],
    ],
    ["nothing of what is not known", usual, [fresh("unknown"), fresh("never"), fresh("unmeasured")], []],
    ["staleness again only after it was fresh", usual, [fresh("stale"), fresh("unknown"), fresh("stale")], ["stale"]],
    ["no recovery where no promise is left", usual, [fresh("stale"), fresh("unmeasured"), fresh("fresh")], ["stale"]],
    ["a row of skips once", { ...usual, afterSkips: 3 }, Array<Happening>(7).fill(skipped), ["skipped"]],
    [
      "a row of skips that ends",
      { ...usual, afterSkips: 2 },
      [skipped, skipped, ok, skipped, skipped],
      ["skipped", "recovery", "skipped"],
    ],
    ["no row that a run interrupts", { ...usual, afterSkips: 2 }, [skipped, ok, skipped, failed, skipped], ["failure"]],
    ["the first skip", { ...usual, on: ["skipped"], afterSkips: 1 }, [skipped, skipped], ["skipped"]],
    [
      "everything",
      everything,
      [started, blocked, ok, warning, warning, ok, cancelled],
      ["start", "blocked", "success", "warning", "success", "aborted"],
    ],
    [
      "a warning once more after a run without",
      { ...usual, on: ["warning"] },
      [warning, warning, ok, warning],
      ["warning", "warning"],
    ],
    ["recoveries alone", { ...usual, on: ["recovery"] }, [failed, ok, ok], ["recovery"]],
    ["nothing of other jobs", { ...usual, jobs: ["photos", "h?me-*"] }, [failed, ok], []],
    ["of jobs that a pattern names", { ...usual, jobs: ["ho*"] }, [failed], ["failure"]],
  ])("is %s", (_what, rules, happenings, told) => {
    expect(words(tell(rules, happenings).news)).toEqual(told);
  });

  it("is each target by itself, and not the job once more", () => {
    const one = ended("failed", { targetId: "one" });
    const two = ended("ok", { targetId: "two" });
    const whole = ended("failed", { isToldOfTargets: true });
    const good = [ended("ok", { targetId: "one" }), two, ok];
    const { news } = tell(usual, [one, two, whole, one, two, whole, ...good]);
    expect(words(news)).toEqual(["failure one", "recovery one"]);
  });

  it("is every run of a job, and of the job alone, to a server that does the thinking", () => {
    const rules: Rules = { ...usual, on: ["start", "success", "warning", "failure"], tellsEachTime: true };
    const row = [
      started,
      ended("failed", { targetId: "one" }),
      ended("failed", { isToldOfTargets: true }),
      failed,
      ok,
      warning,
      cancelled,
    ];
    const { news, memory } = tell(rules, row);
    expect(words(news)).toEqual(["start", "failure", "failure", "success", "warning"]);
    expect(memory).toEqual({});
  });

  it("says how long it was wrong, and how often that was seen", () => {
    const { news } = tell(usual, [failed, failed, failed, ok]);
    expect(news[0]).toMatchObject({
      event: "failure",
      runId: "run",
      message: "failed!",
      history: null,
      durationMs: 1000,
    });
    expect(news[1]).toMatchObject({ event: "recovery", at: 240_000, history: { since: 60_000, times: 3 } });
  });

  it("is remembered only while something is wrong", () => {
    expect(tell(everything, [started, failed, fresh("stale"), skipped, warning, ok]).memory).toEqual({});
    expect(Object.keys(tell(usual, [failed]).memory)).toEqual(['["home",""]']);
  });

  it("is the same after its memory was written down and read", () => {
    const { memory } = tell(usual, [failed, failed]);
    const read = JSON.parse(JSON.stringify(memory)) as Memory;
    expect(words(tell(usual, [failed, ok], read).news)).toEqual(["recovery"]);
  });
});

describe("a reminder", () => {
  const rules: Rules = { ...usual, repeatEveryMs: 3_600_000 };
  const { memory } = tell(rules, [failed, failed, ended("failed", { jobId: "photos", message: "full" })]);

  it("comes after its time, for everything that is still wrong, with what was said last", () => {
    expect(remind(rules, memory, 3_659_999).news).toEqual([]);
    const first = remind(rules, memory, 3_660_000);
    expect(first.news).toMatchObject([{ event: "failure", jobId: "home", history: { since: 60_000, times: 2 } }]);
    const later = remind(rules, first.memory, 3_800_000);
    expect(later.news).toMatchObject([{ jobId: "photos", message: "full" }]);
    expect(remind(rules, later.memory, 3_900_000).news).toEqual([]);
    expect(remind(rules, later.memory, 7_260_000).news.map(({ jobId }) => jobId)).toEqual(["home"]);
  });

  it("comes only where it is wanted, and of what was told", () => {
    expect(remind(usual, memory, 10 ** 12).news).toEqual([]);
    const untold = tell({ ...rules, on: ["recovery" satisfies NoticeEvent] }, [failed]).memory;
    expect(remind(rules, untold, 10 ** 12).news).toEqual([]);
  });
});

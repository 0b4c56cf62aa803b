import { expect, it } from "vitest";
import { formatOutputs, formatRun as formatStory, formatRunList } from "../../../src/cli/history-view.ts";
import { tellRun } from "../../../src/cli/run-story.ts";
import { formatLockEvents, lockEventsAsJson } from "../../../src/cli/history-locks-view.ts";
import type { RunRecord } from "../../../src/store/run-history.ts";
import { noStats } from "../../support/history-samples.ts";

const hostile = "x\u001b]0;owned\u0007\u009by";
const harmless = "x\ufffd]0;owned\ufffd\ufffdy";
const of = { startedAt: 0, finishedAt: 1000, reason: null };

/** A run in which everything that comes from outside tries to steer the terminal. */
const run: RunRecord = {
  runId: "20260302-120000-aaaaaa",
  cause: { kind: "watch", path: hostile },
  startedAt: 0,
  finishedAt: 1000,
  outcome: "failed",
  message: hostile,
  requestedJobs: [hostile],
  jobs: [
    {
      ...of,
      jobId: hostile,
      outcome: "failed",
      message: hostile,
      failedAction: "copy",
      waitedMs: null,
      actions: [
        {
          ...of,
          actionId: "copy",
          targetId: "",
          attempt: 1,
          outcome: "failed",
          message: hostile,
          argv: ["rsync", hostile],
          exitCode: 1,
          signal: null,
          stats: noStats,
          hasOutput: true,
        },
      ],
    },
  ],
  transferredBytes: null,
  transferredFiles: null,
  lockEvents: [
    {
      ...{ at: 0, kind: "suspect", runId: "r", jobId: hostile, place: { host: hostile, path: hostile } },
      ...{ token: hostile, owner: hostile, ageMs: 61_000, detail: hostile },
    },
  ],
};
const outputs = new Map([[JSON.stringify([hostile, "copy", "", 1]), `${hostile}\n\tend\n`]]);
const formatRun = (record: RunRecord) => formatStory(tellRun(record, { outputs, tracked: [] }));
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

it("lists runs without what could steer the terminal", () => {
  const list = formatRunList([run]);
  expect(list).toContain(`change of ${harmless}`);
  expect(list).toContain(`${harmless} (failed)`);
  expect(list).not.toMatch(steering);
});

it("shows one run without what could steer the terminal", () => {
  expect(formatRun(run)).toContain(harmless);
  expect(formatRun(run)).not.toMatch(steering);
});

it("takes it out of the outputs on a terminal, and leaves them as they are in a pipe", () => {
  const shown = formatOutputs(run, outputs, { isTTY: true });
  expect(shown).toContain(`<==\n${harmless}\n\tend\n`);
  expect(formatOutputs(run, outputs, { isTTY: false })).toContain(`<==\n${hostile}\n\tend\n`);
});

it("shows what happened to the locks of a run in order, and lines of several runs with their jobs", () => {
  const [event] = run.lockEvents;
  const events = event === undefined ? [] : [event, { ...event, at: 5000, kind: "waited" as const, place: null }];
  const [title, ...lines] =
    formatRun({ ...run, lockEvents: events })
      .split("\n\n")
      .at(-1)
      ?.trimEnd()
      .split("\n") ?? [];
  expect(title).toBe("Locks");
  expect(lines.map((line) => line.includes("suspect") && line.includes("last confirmed 1m 1s ago"))).toEqual([
    true,
    false,
  ]);
  expect(lines[1]).toMatch(/waited .*after 1m 1s/);
  expect(formatLockEvents(events)).not.toMatch(steering);
  expect(formatLockEvents(events).split("\n")[1]).toContain(harmless);
  expect(JSON.parse(lockEventsAsJson(events))).toMatchObject([{ at: "1970-01-01T00:00:00.000Z" }, { kind: "waited" }]);
});

it("says once why an action failed, and what else its job says", () => {
  const [job] = run.jobs;
  if (job === undefined) throw new Error("the sample has no job");
  const [action] = job.actions.map((each) => ({ ...each, targetId: "nas", message: "disk full" }));
  const show = (message: string) =>
    formatRun({ ...run, message: null, jobs: [{ ...job, message, actions: action === undefined ? [] : [action] }] });
  expect(show("copy to nas: disk full").match(/disk full/g)).toHaveLength(1);
  expect(show("copy to nas: disk full").split("\n")).toContain("    disk full");
  expect(show("lost its lock").split("\n")).toContain("  lost its lock");
});

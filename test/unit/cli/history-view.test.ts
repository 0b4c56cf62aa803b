import { expect, it } from "vitest";
import { formatOutputs, formatRun, formatRunList } from "../../../src/cli/history-view.ts";
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
};
const outputs = new Map([[JSON.stringify([hostile, "copy", 1]), `${hostile}\n\tend\n`]]);
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

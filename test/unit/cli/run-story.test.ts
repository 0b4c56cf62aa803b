import { describe, expect, it } from "vitest";
import { outputKey } from "../../../src/cli/history-access.ts";
import { formatRun, runAsJson } from "../../../src/cli/history-view.ts";
import { tellRun } from "../../../src/cli/run-story.ts";
import type { LockEventRecord } from "../../../src/store/lock-events.ts";
import type { ActionRecord, RunRecord } from "../../../src/store/run-history.ts";
import { finishedRunId, sampleChanges, sampleRuns } from "../../support/status-samples.ts";

const second = 1000;
const [sample] = sampleRuns();
const at = sample?.startedAt ?? 0;

function sampleRun(
  actions: (sampleAction: ActionRecord) => ActionRecord[],
  lockEvents: LockEventRecord[] = [],
): RunRecord {
  const job = sample?.jobs[0];
  const action = job?.actions[0];
  if (sample === undefined || job === undefined || action === undefined) throw new Error("the sample has no action");
  return { ...sample, jobs: [{ ...job, actions: actions(action) }], lockEvents };
}

const nothing = { outputs: new Map<string, string>(), tracked: [] };
const itemized = [
  "sending incremental file list",
  "<f+++++++++ new/a\\#012b.txt",
  "<f.st...... notes.txt",
  ".f          same.txt",
  ".d..t...... dir/",
  "*deleting   gone.txt",
  "Number of files: 3",
].join("\n");

describe("the story of a run", () => {
  it("tells which locks were waited for, whose they were, and how long each", () => {
    const event = (kind: LockEventRecord["kind"], after: number, path: string | null, owner: string | null) => ({
      ...{ at: at + after, kind, runId: finishedRunId, jobId: "home", owner, token: null, ageMs: null, detail: null },
      place: path === null ? null : { host: "nas", path },
    });
    const run = sampleRun(
      (action) => [action],
      [
        event("waiting", 0, "/locks/a", "held by job x of y"),
        event("waiting", 60 * second, "/locks/b", "held by job z"),
        event("waited", 90 * second, null, null),
        event("acquired", 91 * second, "/locks/c", null),
        event("waiting", 100 * second, "/locks/a", "held by job x of y"),
      ],
    );
    const text = formatRun(tellRun(run, nothing));
    expect(text).toContain(
      [
        "  waited 1m for nas:/locks/a: held by job x of y",
        "  waited 30s for nas:/locks/b: held by job z",
        "  waits for nas:/locks/a: held by job x of y",
      ].join("\n"),
    );
  });

  it("tells how long after a failed try the next one began", () => {
    const run = sampleRun((action) => [
      { ...action, outcome: "failed", finishedAt: action.startedAt + second },
      { ...action, attempt: 2, startedAt: action.startedAt + 31 * second, finishedAt: action.startedAt + 40 * second },
    ]);
    expect(formatRun(tellRun(run, nothing))).toMatch(/copy, try 2: ok\n.*took 9s, 30s after the try before, exit 0/);
  });

  it("lists what rsync itemised, unchanged paths left out", () => {
    const run = sampleRun((action) => [action]);
    const outputs = new Map([[outputKey("home", { actionId: "copy", targetId: "", attempt: 1 }), itemized]]);
    const story = tellRun(run, { outputs, tracked: sampleChanges() });
    expect(story.jobs[0]?.actions[0]?.changes).toEqual({
      source: "output",
      files: [
        { change: "created", path: "new/a\nb.txt" },
        { change: "modified", path: "notes.txt" },
        { change: "attributes", path: "dir" },
        { change: "deleted", path: "gone.txt" },
      ],
    });
    const text = formatRun(story);
    expect(text).toContain("    changed: 1 created, 1 modified, 1 deleted, 1 attributes only\n");
    expect(text).toContain('      + "new/a\\nb.txt"\n      ~ notes.txt\n');
    expect(JSON.parse(runAsJson(story, undefined))).toMatchObject({
      jobs: [{ actions: [{ changes: { source: "output" } }], waits: [] }],
    });
  });

  it("takes the tracked changes where nothing was itemised, once, and names ten files unless asked for all", () => {
    const tracked = Array.from({ length: 12 }, (_, id) => ({
      ...(sampleChanges()[0] ?? expect.fail("there is no sample")),
      ...{ id, jobId: "home", path: `file${id}` },
    }));
    const run = sampleRun((action) => [
      { ...action, outcome: "failed" },
      { ...action, attempt: 2 },
    ]);
    const story = tellRun(run, { outputs: new Map(), tracked });
    expect(story.jobs[0]?.actions.map(({ changes }) => changes?.files.length)).toEqual([undefined, 12]);
    const short = formatRun(story);
    expect(short).toContain("changed (tracked): 12 modified\n      ~ file11\n");
    expect(short).toContain("      … 2 more with --files\n");
    expect(formatRun(story, { allFiles: true })).toContain("      ~ file0\n");
  });

  it("shows every figure that rsync gave", () => {
    const run = sampleRun((action) => [
      {
        ...action,
        stats: {
          ...{ filesTotal: 12_400, filesCreated: 3, filesDeleted: 2, filesTransferred: 12, totalBytes: 1_200_000_000 },
          ...{ transferredBytes: 48_000, literalBytes: 1000, matchedBytes: 47_000, sentBytes: 2000, receivedBytes: 99 },
        },
      },
    ]);
    const text = formatRun(tellRun(run, nothing));
    expect(text).toContain("exit 0, 12 files, 48.0 kB, 2 deleted");
    expect(text).toContain(
      "of 12400 files, 1.20 GB, 3 created, sent 2.00 kB, received 99 B, literal 1.00 kB, matched 47.0 kB",
    );
  });
});

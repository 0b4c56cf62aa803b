import { describe, expect, it } from "vitest";
import { reportOf } from "../../../src/cli/control/read-status.ts";
import { createPaint } from "../../../src/cli/paint.ts";
import type { StatusReport } from "../../../src/cli/status-report.ts";
import { formatStatus, statusAsJson } from "../../../src/cli/status-view.ts";
import type { JobStatus } from "../../../src/model/status.ts";
import { sampleJob, sampleNow, sampleStatus, sampleTarget } from "../../support/status-samples.ts";

const minute = 60_000;
const day = 86_400_000;
const report = (overrides: Partial<StatusReport> = {}): StatusReport => ({
  ...sampleStatus(),
  ...{ director: "running", directorDetail: null },
  ...overrides,
});
const show = (what: StatusReport, { columns = Infinity, colour = false, now = sampleNow } = {}) =>
  formatStatus(what, { now, columns, paint: createPaint(colour) });
const headline = (overrides: Partial<StatusReport>) => show(report(overrides)).split("\n")[0];
const withoutColour = (text: string) => text.replaceAll(/\u001b\[\d+m/g, "");

describe("the first line", () => {
  it("names what is stale before everything else, then what runs, waits and is paused", () => {
    expect(headline({})).toBe(
      "nas on backup.example.org: photos is STALE; home runs, mail waits for a lock; etc is paused",
    );
  });

  it.each<[string, Partial<StatusReport>]>([
    ["all 2 jobs are fresh; nothing runs", { jobs: [sampleJob("a"), sampleJob("b")] }],
    ["a is fresh; nothing runs", { jobs: [sampleJob("a")] }],
    [
      "the 2 jobs that have a schedule are fresh; nothing runs",
      {
        jobs: [sampleJob("a"), sampleJob("b"), sampleJob("c", { freshness: "unmeasured" })],
      },
    ],
    [
      "no job has a schedule or a watch to be fresh or stale against; nothing runs",
      {
        jobs: [sampleJob("c", { freshness: "unmeasured" })],
      },
    ],
    ["no job is enabled; nothing runs", { jobs: [sampleJob("a", { enabled: false, freshness: "stale" })] }],
    [
      "a has NEVER succeeded, UNKNOWN how fresh b is; nothing runs",
      {
        jobs: [sampleJob("a", { freshness: "never" }), sampleJob("b", { freshness: "unknown" })],
      },
    ],
    [
      "a, b, c and 2 more are STALE; nothing runs",
      {
        jobs: ["a", "b", "c", "d", "e"].map((id) => sampleJob(id, { freshness: "stale" })),
      },
    ],
  ])("says: %s", (sentence, overrides) => {
    expect(headline(overrides)).toBe(`nas on backup.example.org: ${sentence}`);
  });
});

describe("what has to be known besides", () => {
  it("is that no director runs: then next times are only what would have been", () => {
    const directorDetail = "no director of nas is running here: systemctl start rsyncdirector@nas";
    const text = show(report({ director: "stopped", directorDetail, jobs: [sampleJob("a")] }));
    expect(text).toContain(`\n${directorDetail}\nWhat follows is what the history says.\n`);
    expect(text).toMatch(/^a +fresh +- +ok 19h 55m ago +\(02:00, in 4h\)$/m);
  });

  it("is that the history does not work, and that a reload was refused", () => {
    const lastReload = { at: sampleNow, ok: false, message: "jobs.0.id: wrong" };
    const text = show(report({ lastReload, history: { ok: false, detail: "disk full" } }));
    expect(text).toContain("the history says nothing: disk full\n");
    expect(text).toContain("refused at 2026-11-29 22:00:00; the one before is in use: jobs.0.id: wrong\n");
  });

  it("is that the clock is in doubt: since when, what stays because of it, and what to do", () => {
    const clockDoubt = { since: sampleNow, lastSeenAt: sampleNow - 3652 * day, until: sampleNow + 7 * day };
    expect(show(report({ clockDoubt }))).toContain(
      "\nClock in doubt since 2026-11-29 22:00:00, last seen at 2016-11-29 22:00:00: no more previous copies, runs of the history or notes of the schedules are deleted for their age. If it is wrong, put it right (timedatectl); if it goes on, it is believed from 2026-12-06 22:00:00 on.\n",
    );
    expect(show(report({ clockDoubt: { ...clockDoubt, lastSeenAt: null } }))).toContain(
      "\nClock in doubt since 2026-11-29 22:00:00, nobody knows when it was last seen: no more",
    );
    expect(JSON.parse(statusAsJson(report({ clockDoubt })))).toMatchObject({
      clockDoubt: {
        since: "2026-11-29T22:00:00.000Z",
        lastSeenAt: "2016-11-29T22:00:00.000Z",
        until: "2026-12-06T22:00:00.000Z",
      },
    });
    expect(show(report())).not.toContain("Clock in doubt");
  });
});

describe("the table", () => {
  it("has one line for each job, and below it what there is to say", () => {
    expect(show(report()).split("\n").slice(1)).toEqual([
      "",
      "JOB      COPIES  NOW        LAST RUN        NEXT RUN",
      "home     fresh   runs 62%   ok 19h 55m ago  02:00, in 4h",
      "  copy [###############.........]  62% 3.22 GB 12.6 MB/s 2m left",
      "mail     fresh   waits 12m  ok 19h 55m ago  02:00, in 4h",
      "  waits for nas:/run/rsyncdirector-locks/mail.lock since 2026-11-29 21:48:00 (12m): held by laptop01",
      "photos   STALE   watches    FAILED 22h ago  02:00, in 4h",
      "  nas    fresh    last success 19h 55m ago",
      "  vault  STALE    last success 3d ago, last failed, 17 changes pending for 2d",
      "  last run: copy to vault: rsync exit 23 (some files could not be transferred) " +
        "(rsyncdirector history 20261128-230000-ee33ff)",
      "etc      fresh   paused     ok 19h 55m ago  Tue 04:00, in 1d 6h",
      "  paused by root since 2026-11-29 21:00:00, until 2026-11-29 23:00:00 (1h): the disk is being replaced",
      "archive  NEVER   disabled   -               -",
      "",
    ]);
  });

  it("puts a time into brackets that a pause will let pass", () => {
    const paused = { since: sampleNow, until: null, by: "root", reason: null };
    expect(show(report({ jobs: [sampleJob("a", { paused })] }))).toMatch(/^a .* \(02:00, in 4h\)$/m);
  });

  it("tells the UNKNOWN from the locked, and what a single target lacks", () => {
    const place = { host: null, path: "/locks/a" };
    const waitingFor = { place, state: "unknown", owner: null, detail: "no route to host", since: sampleNow } as const;
    const pending = { files: null, oldestAt: sampleNow - 5 * minute };
    const job = sampleJob("a", { activity: "waiting", waitingFor, targets: [sampleTarget("nas", { pending })] });
    const text = show(report({ jobs: [job] }));
    expect(text).toContain("UNKNOWN whether it is free, which counts as locked: no route to host");
    expect(text).toContain("  a complete sync is due for 5m\n");
  });

  it("names locks that are in doubt", () => {
    const lock = { place: { host: "nas", path: "/l" }, token: "t", since: sampleNow, state: "suspect" } as const;
    expect(show(report({ jobs: [sampleJob("a", { locks: [lock, { ...lock, state: "held" }] })] }))).toContain(
      "  its lock nas:/l cannot be confirmed since 2026-11-29 22:00:00\n",
    );
  });

  it("says what the locks of a job cannot do, and nothing where they do everything", () => {
    const lockLimits = [
      { host: "nas", mode: "sftp", detail: "This service allows sftp connections only." },
      { host: null, mode: "refused", detail: "no locks can be kept in /tmp: everybody may write there" },
    ] as const;
    const jobs = [
      sampleJob("held", { fencing: { state: "fenced", reason: null } }),
      sampleJob("bare", { fencing: { state: "unfenced", reason: "vault: its account runs no commands" }, lockLimits }),
      sampleJob("lockless", { fencing: { state: "none", reason: null } }),
    ];
    const lines = show(report({ jobs })).trimEnd().split("\n").slice(3);
    expect(lines).toEqual([
      expect.stringMatching(/^held /),
      expect.stringMatching(/^bare /),
      "  unfenced: only its lock files keep other writers away (vault: its account runs no commands)",
      "  locks on nas go over sftp only, where a stale one stays until a person removes it " +
        "(This service allows sftp connections only.)",
      "  locks here are refused: no locks can be kept in /tmp: everybody may write there",
      expect.stringMatching(/^lockless /),
    ]);
  });

  it("is shown of a director that was started before an upgrade, and says less", () => {
    const { fencing: _fencing, lockLimits: _lockLimits, ...older } = sampleJob("a");
    const text = show(reportOf(sampleStatus({ jobs: [older as JobStatus] })));
    expect(text).toMatch(/^a +fresh /m);
  });

  it.each([100, 80, 60, 40])("keeps within %i columns, except for a word that is longer", (columns) => {
    const tooLong = show(report(), { columns })
      .split("\n")
      .filter((line) => line.length > columns && !/^\s*\S+$/.test(line));
    expect(tooLong).toEqual([]);
  });

  it("becomes a list where there is no room for it", () => {
    expect(show(report(), { columns: 40 })).toContain(
      ["home  fresh", "  now       runs 62%", "  last run  ok 19h 55m ago", "  next run  02:00, in 4h"].join("\n"),
    );
  });

  it("has a line of its own for each job, however long names and messages are", () => {
    const long = "a".repeat(64);
    const message = `first line\nsecond line of ${"/very/long/path".repeat(20)}`;
    const lastRun = { runId: "r", outcome: "failed", message, startedAt: 0, finishedAt: 0 } as const;
    const action = { actionId: long, targetId: long, attempt: 2, startedAt: sampleNow, progress: null };
    const job = sampleJob(long, { lastRun, actions: [{ ...action, millisecondsLeft: null }] });
    const lines = show(report({ jobs: [job, sampleJob("b")] }), { columns: 100 }).split("\n");
    expect(lines).toContain(`${long}  fresh`);
    expect(lines).toContain("b  fresh");
    expect(lines).toContain("  last run: first line second line of");
    expect(lines.filter((line) => line.length > 100 && !/^\s*\S+$/.test(line))).toEqual([]);
  });

  it("says in colours what it says without", () => {
    for (const columns of [80, 40]) {
      const coloured = show(report(), { columns, colour: true });
      expect(coloured).toContain("\u001b[31mSTALE\u001b[0m");
      expect(withoutColour(coloured)).toBe(show(report(), { columns }));
    }
  });

  it("does not let names and messages steer the terminal", () => {
    const hostile = "x\u001b[2Jy";
    const lastRun = { runId: "r", outcome: "failed", message: hostile, startedAt: 0, finishedAt: 0 } as const;
    const job = sampleJob("a", {
      ...{ lastRun, targets: [sampleTarget(hostile), sampleTarget("b")] },
      waitingFor: { place: { host: hostile, path: hostile }, state: "held", owner: hostile, detail: hostile, since: 0 },
    });
    expect(show(report({ jobs: [job], directorDetail: hostile }))).not.toContain("\u001b");
  });
});

it("is JSON with every time as programs read it", () => {
  const json = JSON.parse(statusAsJson(report())) as { jobs: Record<string, unknown>[] };
  expect(json).toMatchObject({ director: "running", at: "2026-11-29T22:00:00.000Z", rsyncId: "nas" });
  expect(json.jobs[1]).toMatchObject({ waitingFor: { since: "2026-11-29T21:48:00.000Z" } });
  expect(json.jobs[3]).toMatchObject({ paused: { until: "2026-11-29T23:00:00.000Z" } });
  expect(JSON.stringify(json)).not.toMatch(/"\w*(?:At|at|since|until)":\d/);
});

import type { OutcomeKind } from "../../src/model/run.ts";
import type { InstanceStatus, JobStatus } from "../../src/model/status.ts";
import type { RunRecord } from "../../src/store/run-history.ts";
import { randomFrom } from "./random.ts";
import { sampleJob, sampleJobs, sampleNow, sampleStatus } from "./status-samples.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** A status with one job of every kind and so many fresh ones besides. */
export function statusWith(count: number, overrides: Partial<InstanceStatus> = {}): InstanceStatus {
  const names = ["etc-hosts", "mysql-dump", "postgres", "wiki", "git", "mailboxes", "vm-images", "printers", "music"];
  const healthy = Array.from({ length: Math.max(0, count - sampleJobs().length) }, (_, index) =>
    sampleJob(names[index] ?? `host-${String(index).padStart(3, "0")}`, {
      nextRunAt: sampleNow + (index + 1) * 7 * minute,
    }),
  );
  return sampleStatus({ jobs: [...sampleJobs(), ...healthy], ...overrides });
}

/** Thirty runs of each job, one a day, as a director that has been there for a while has them. */
export function runsOf(jobs: readonly JobStatus[], { count = 30, seed = 7 } = {}): RunRecord[] {
  const random = randomFrom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return jobs.flatMap((job, position) => {
    if (job.lastRun === null) return [];
    const typical = (1 + below(20)) * minute;
    return Array.from({ length: count }, (_, index): RunRecord => {
      const latest = index === count - 1;
      const startedAt = (job.lastRun?.startedAt ?? 0) - (count - 1 - index) * day;
      const outcome: OutcomeKind = latest ? (job.lastRun?.outcome ?? "ok") : drawOutcome(below(40));
      const durationMs = Math.round(typical * (0.6 + below(90) / 100));
      const bytes = (40 + below(160)) * 1_000_000 * (1 + (position % 5));
      const message =
        outcome === "ok"
          ? null
          : (job.lastRun?.message ?? "rsync exit 24 (some files vanished before they could be transferred)");
      const runId = latest
        ? (job.lastRun?.runId ?? "")
        : `202611${String((index % 28) + 1).padStart(2, "0")}-023000-${position.toString(16).padStart(3, "0")}${index.toString(16).padStart(3, "0")}`;
      const times = { startedAt, finishedAt: startedAt + durationMs };
      return {
        ...{
          runId,
          ...times,
          outcome,
          message,
          requestedJobs: [job.jobId],
          transferredBytes: bytes,
          transferredFiles: below(400),
        },
        cause: { kind: "schedule", schedule: "30 2 * * *", scheduledFor: startedAt, missed: false },
        jobs: [
          {
            jobId: job.jobId,
            ...times,
            outcome,
            reason: null,
            message,
            failedAction: null,
            waitedMs: null,
            actions: [],
          },
        ],
        lockEvents: [],
      };
    });
  });
}

function drawOutcome(number: number): OutcomeKind {
  if (number === 0) return "failed";
  if (number === 1) return "skipped";
  return number === 2 ? "warning" : "ok";
}

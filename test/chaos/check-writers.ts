import { excludes, type History, type Writer } from "./history.ts";
import type { Violation } from "./violation.ts";

/** S3: whatever became of locks and directors, no writer begins while one lives that it excludes. */
export function checkWriters({ setup, writers }: History): Violation[] {
  const jobs = new Map(setup.jobs.map((job) => [job.name, job]));
  const byId = new Map(writers.map((writer) => [writer.id, writer]));
  return writers.flatMap((writer) => {
    const job = jobs.get(writer.job);
    if (job === undefined || !job.fenced) return [];
    const unheld: Violation[] =
      writer.holds.length > 0
        ? []
        : [{ property: "S3", what: `${writer.id} writes without a hold lock`, excerpt: [describe(writer)] }];
    const beside = writer.others.flatMap((id): Violation[] => {
      const other = byId.get(id);
      const otherJob = jobs.get(other?.job ?? "");
      if (other === undefined || otherJob === undefined || !excludes(job, otherJob)) return [];
      const what = `${writer.id} began to write while ${other.id} was still there`;
      return [{ property: "S3", what, excerpt: [describe(other), describe(writer)] }];
    });
    return [...unheld, ...beside];
  });
}

export function describe({ id, started, ended, holds, tokens }: Writer): string {
  return `${started}–${ended} writer ${id} with ${holds.join(", ") || "no hold"}, locks of ${tokens.join(", ") || "nobody"}`;
}

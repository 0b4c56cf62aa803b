import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { ActionReport, SkipCause } from "../model/run.ts";
import type { Happening } from "./happening.ts";

/** What a run of a job has shown so far. */
interface OpenJob {
  /** Of the last action that did not end well. */
  failed: { targetId: string; report: ActionReport | null } | undefined;
  failedTargets: number;
}

/** That a job does not run because somebody has said so is no news. */
const toldSkips: readonly SkipCause[] = ["block-timeout", "already-running", "hook"];

/** Of what a program wrote the last so many characters are told. */
const keptOutput = 4000;

/** Turns the events of a director into what the rules look at; returns what ends it. */
export function observeJobs(events: Emitter<DirectorEvents>, tell: (happening: Happening) => void): () => void {
  const open = new Map<string, OpenJob>();
  const openJob = ({ runId, jobId }: { runId: string; jobId: string }): OpenJob => {
    const key = JSON.stringify([runId, jobId]);
    const job = open.get(key) ?? { failed: undefined, failedTargets: 0 };
    open.set(key, job);
    return job;
  };

  const unsubscribe = [
    events.on("job:started", ({ runId, jobId, at }) => tell({ kind: "started", runId, jobId, at })),
    events.on("job:blocked", ({ runId, jobId, place, state, owner, detail, at }) => {
      const where = place.host === null ? place.path : `${place.host}:${place.path}`;
      const who = state === "unknown" ? `nobody can say whether it is free: ${detail}` : (owner ?? detail);
      tell({ kind: "blocked", runId, jobId, detail: `${where}: ${who}`, at });
    }),
    events.on("action:finished", (event) => {
      const { outcome, targetId } = event;
      if (outcome.kind === "ok" || outcome.kind === "cancelled") return;
      openJob(event).failed = { targetId, report: outcome.report };
    }),
    events.on("target:result", (event) => {
      const { runId, jobId, targetId, outcome, at } = event;
      const job = openJob(event);
      if (outcome.kind === "failed") job.failedTargets += 1;
      const own = job.failed?.targetId === targetId ? job.failed.report : null;
      const message = "message" in outcome ? outcome.message : "";
      const end = { runId, jobId, targetId, at, outcome: outcome.kind, message };
      tell({ kind: "ended", ...end, ...detailsOf(own), isToldOfTargets: false, durationMs: null });
    }),
    events.on("job:finished", (event) => {
      const { runId, jobId, outcome, startedAt, at } = event;
      const { failed, failedTargets } = openJob(event);
      open.delete(JSON.stringify([runId, jobId]));
      if (outcome.kind === "skipped" && !toldSkips.includes(outcome.cause)) return;
      const message = "message" in outcome ? outcome.message : "";
      const end = { runId, jobId, targetId: "", at, outcome: outcome.kind, message, durationMs: at - startedAt };
      const details = outcome.kind === "ok" ? detailsOf(null) : detailsOf(failed?.report ?? null);
      tell({ kind: "ended", ...end, ...details, isToldOfTargets: outcome.kind === "failed" && failedTargets > 0 });
    }),
  ];
  return () => unsubscribe.forEach((end) => end());
}

function detailsOf(report: ActionReport | null): { log: string; exitCode: number | null } {
  return { log: report?.output.trimEnd().slice(-keptOutput) ?? "", exitCode: report?.exitCode ?? null };
}

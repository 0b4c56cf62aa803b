import type { OutcomeKind } from "../model/run.ts";
import type { Freshness } from "../model/status.ts";

interface OfJob {
  readonly jobId: string;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** The end of a job, or of the syncs to one of its targets. */
export interface Ended extends OfJob {
  readonly kind: "ended";
  readonly runId: string;
  /** Empty: the job as a whole. */
  readonly targetId: string;
  readonly outcome: OutcomeKind;
  readonly message: string;
  /** The failure of a job that is the failure of its targets, each of which ended for itself. */
  readonly isToldOfTargets: boolean;
  readonly log: string;
  readonly exitCode: number | null;
  readonly durationMs: number | null;
}

/** What the rules look at. */
export type Happening =
  | (OfJob & { readonly kind: "started"; readonly runId: string })
  | (OfJob & { readonly kind: "blocked"; readonly runId: string; readonly detail: string })
  | Ended
  | FreshnessReport;

/** Whether a copy is as new as its schedule promises; told as often as somebody likes, also when nothing changed. */
export interface FreshnessReport extends OfJob {
  readonly kind: "freshness";
  /** Empty: the job has one target. */
  readonly targetId: string;
  readonly freshness: Freshness;
  readonly lastSuccessAt: number | null;
}

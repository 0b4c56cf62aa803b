/** Something that is wrong, from when it is first seen until it is right again. */
export interface Trouble {
  readonly since: number;
  /** How often it was seen. */
  readonly times: number;
  /** null: this channel does not tell of such troubles. */
  readonly toldAt: number | null;
  /** As it was said last; for reminders. */
  readonly message: string;
  readonly runId: string | null;
}

export const troubleKinds = ["failure", "warning", "skipped", "stale"] as const;

export type TroubleKind = (typeof troubleKinds)[number];

/** What is wrong with a job, or with one of its targets, as far as a channel is concerned. */
export type Troubles = { readonly [Kind in TroubleKind]?: Trouble };

/** What a channel remembers, by `subjectKey`. A subject with which nothing is wrong is not in it. */
export type Memory = Readonly<Record<string, Troubles>>;

export function subjectKey(jobId: string, targetId: string): string {
  return JSON.stringify([jobId, targetId]);
}

export function subjectOf(key: string): { jobId: string; targetId: string } {
  const [jobId = "", targetId = ""] = JSON.parse(key) as string[];
  return { jobId, targetId };
}

export function remember(memory: Memory, key: string, troubles: Troubles): Memory {
  const { [key]: _, ...others } = memory;
  const kept = Object.entries(troubles).filter(([, trouble]) => trouble !== undefined);
  return kept.length === 0 ? others : { ...others, [key]: Object.fromEntries(kept) as Troubles };
}

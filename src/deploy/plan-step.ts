/** `prepare` leads up to the keys; `connect` needs the keys of all hosts; `start` needs everything. */
export type Phase = "prepare" | "connect" | "start";
export const phases: readonly Phase[] = ["prepare", "connect", "start"];

export interface Step {
  readonly phase: Phase;
  /** `+` something new, `~` something else than before. */
  readonly sign: "+" | "~";
  readonly what: string;
  /** A function of resources/deploy.sh and its words. */
  readonly call: readonly [name: string, ...words: string[]];
  /** Its standard input. */
  readonly input?: Buffer;
}

/** What stands in the way of a phase; nothing of that phase is done then. */
export interface Obstacle {
  readonly phase: Phase;
  readonly what: string;
}

export interface HostPlan {
  readonly steps: readonly Step[];
  readonly obstacles: readonly Obstacle[];
  /** What is not done here, and why. */
  readonly notes: readonly string[];
}

export interface PlanContext {
  /** Public keys as far as they are there, by host and path. */
  readonly publicKey: (host: string, path: string) => string | undefined;
  /** Fingerprints of host keys that the operator has confirmed. */
  readonly accepted: ReadonlySet<string>;
  /** For names of files that are kept. */
  readonly stamp: string;
  /** Bytes of a package, when they are needed. */
  readonly packageBytes: (file: string) => Buffer;
}

export type PartialPlan = Partial<HostPlan>;

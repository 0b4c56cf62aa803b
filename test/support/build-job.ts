import { defaultLease } from "../../src/config/resolve-lease.ts";
import type { Action, Job, SshEndpoint, Target } from "../../src/config/resolved.ts";
import { plainScheduling } from "./build-config.ts";

/** What of a job a test is about; `endpoint` stands for a single target. */
export type JobDraft = Partial<Job> & { readonly endpoint?: SshEndpoint | undefined };

/** A local job with one command action and no locks; a test names only what it is about. */
export function buildJob({ endpoint, ...overrides }: JobDraft = {}): Job {
  return {
    id: "job",
    type: "local",
    enabled: true,
    direction: "push",
    targets: [buildTarget(endpoint)],
    maxParallel: 4,
    schedules: [],
    scheduling: plainScheduling,
    lockFiles: [],
    lease: defaultLease,
    blocksOn: [],
    hold: "auto",
    holdDir: "/run/rsyncdirector-locks",
    concurrency: "queue",
    timeoutMs: undefined,
    stallTimeoutMs: undefined,
    warnAfterMs: undefined,
    retry: { limit: 0, delayMs: 1000, maxDelayMs: 60_000, backoff: 2, exitCodes: undefined },
    exitCodes: new Map(),
    allowUnsafeOpts: false,
    guard: { requirePaths: [], nonEmpty: true, maxDelete: undefined, maxDeletePercent: undefined },
    watch: undefined,
    trackChanges: undefined,
    hooks: [],
    actions: [buildCommand("one")],
    ...overrides,
  };
}

export function buildTarget(endpoint: SshEndpoint | undefined, overrides: Partial<Target> = {}): Target {
  return { id: endpoint?.host ?? "local", endpoint, dest: undefined, bwlimit: undefined, ...overrides };
}

export function buildCommand(id: string): Action {
  return { kind: "command", id, argv: ["/bin/true"], shell: false, cwd: undefined };
}

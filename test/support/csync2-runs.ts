import { readFile, writeFile } from "node:fs/promises";
import { createActionRegistry } from "../../src/action/action.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { Csync2Action } from "../../src/config/resolved.ts";
import type { SyncScope } from "../../src/model/changes.ts";
import type { ActionOutcome } from "../../src/model/run.ts";
import { buildJob } from "./build-job.ts";
import { type ClusterHost, type Csync2TestCluster, openCluster } from "./csync2-cluster.ts";

/** A csync2 action of alpha in a cluster of its own, and what its hosts have. */
export interface Csync2Runs {
  readonly cluster: Csync2TestCluster;
  run(scope: SyncScope, changed?: Partial<Csync2Action>, signal?: AbortSignal): Promise<ActionOutcome>;
  write(host: ClusterHost, name: string, text: string): Promise<void>;
  read(host: ClusterHost, name: string): Promise<string>;
  /** Holds the next wait of that length. Resolves when it is waited; what it resolves to ends the wait. */
  holdWait(ms: number): Promise<() => void>;
}

export async function openCsync2Runs(): Promise<Csync2Runs> {
  const cluster = await openCluster();
  let held: { readonly ms: number; readonly reached: (end: () => void) => void } | undefined;
  const setTimer = (ms: number, whenOver: () => void) => {
    if (ms !== held?.ms) return systemClock.setTimer(ms, whenOver);
    held.reached(whenOver);
    held = undefined;
    return () => undefined;
  };
  const registry = createActionRegistry({ ...cluster.deps, clock: { ...systemClock, setTimer } });
  return {
    cluster,
    run: (scope, changed = {}, signal = new AbortController().signal) => {
      const action = { ...cluster.action, ...changed };
      const job = buildJob({ actions: [action] });
      return registry(job, action, {
        ...{ runId: "run", jobId: "job", target: job.targets[0]!, scope, attempt: 1, signal, dryRun: false, holds: [] },
        log: silentLogger,
        onSpawned: () => undefined,
        onStarted: () => undefined,
        onOutput: () => undefined,
        onProgress: () => undefined,
      });
    },
    write: (host, name, text) => writeFile(cluster.data(host, name), text),
    read: (host, name) => readFile(cluster.data(host, name), "utf8"),
    holdWait: (ms) => new Promise((reached) => (held = { ms, reached })),
  };
}

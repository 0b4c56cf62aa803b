import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawCsync2Action, RawSyncAction } from "./schema-sync.ts";
import type { RawWatch } from "./schema-watch.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

/** A job that watches, as far as nothing is known to be wrong with it. */
export interface WatchedJob {
  readonly job: RawJob;
  readonly path: KeyPath;
  /** The whole configuration. */
  readonly root: Tree;
  readonly watch: Partial<RawWatch>;
  readonly syncs: readonly Placed<Partial<RawSyncAction>>[];
  readonly clusters: readonly Placed<Partial<RawCsync2Action>>[];
  /** What `~` stands for. */
  readonly home: string;
  readonly log: ProblemLog;
}

/** An action, and where it stands. */
export interface Placed<Action> {
  readonly action: Action;
  readonly path: KeyPath;
}

/** undefined: the job does not watch. */
export function readWatchedJob(
  job: RawJob,
  path: KeyPath,
  about: Pick<WatchedJob, "root" | "home" | "log">,
): WatchedJob | undefined {
  const { log } = about;
  if (!isRecord(job.watch)) return undefined;
  return {
    ...about,
    job,
    path,
    watch: soundPart<RawWatch>(job.watch, [...path, "watch"], log),
    syncs: actionsOf<RawSyncAction>("sync", job, path, log),
    clusters: actionsOf<RawCsync2Action>("csync2", job, path, log),
  };
}

function soundPart<Block>(block: Tree, path: KeyPath, log: ProblemLog): Partial<Block> {
  return Object.fromEntries(Object.entries(block).filter(([key]) => log.isSound([...path, key]))) as Partial<Block>;
}

function actionsOf<Action>(kind: string, job: RawJob, path: KeyPath, log: ProblemLog): Placed<Partial<Action>>[] {
  return recordsOf(job.actions)
    .filter(([, action]) => action["action"] === kind)
    .map(([index, action]) => {
      const here = [...path, "actions", index];
      return { action: soundPart<Action>(action, here, log), path: here };
    });
}

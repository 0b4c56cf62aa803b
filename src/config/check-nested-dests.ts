import { posix } from "node:path";
import { absolute, excludes } from "./check-overlap.ts";
import { isThisHost, meansContents } from "./paths.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { FilterReport } from "./rsync-opts.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";
import { reportOnSync } from "./sync-report.ts";
import { isRecord, recordsOf, type Tree } from "./tree.ts";

const sshPort = 22;

/** A tree and its copy, as a sync makes it. */
interface Copy {
  readonly jobId: string;
  readonly where: KeyPath;
  /** Host and absolute path of what is copied, with a slash at the end. */
  readonly origin: string;
  /** The same of the copy. */
  readonly place: string;
  /** The path alone. */
  readonly to: string;
  readonly meansContents: boolean;
  /** undefined: it deletes nothing, or what it spares cannot be seen here. */
  readonly spares: readonly string[] | undefined;
}

/** Where a job copies to; nothing: to this host. */
interface Target {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly dest?: string | undefined;
}

/** A sync that deletes takes for surplus what another one has copied below its destination. Links are not followed. */
export function checkNestedDests(
  root: Tree,
  jobs: readonly { readonly job: RawJob; readonly path: KeyPath }[],
  log: ProblemLog,
): void {
  // What the ssh configuration says of a port is not seen here: most often it says nothing.
  const usualPort = Number((isRecord(root["ssh"]) ? root["ssh"]["port"] : undefined) ?? sshPort);
  const enabled = jobs.filter(({ job, path }) => job.enabled !== false && log.isSound(path));
  // In this order what lies below a directory follows it.
  const copies = enabled
    .flatMap(({ job, path }) => copiesOf(job, path, usualPort))
    .toSorted((one, other) => (one.place < other.place ? -1 : 1));
  const told = new Set<KeyPath>();
  for (const [index, outer] of copies.entries()) {
    if (outer.spares === undefined || told.has(outer.where)) continue;
    const inner = [...below(copies, index)].find((other) => isLost(other, outer));
    if (inner === undefined) continue;
    told.add(outer.where);
    log.warning(
      outer.where,
      `holds ${inner.to}, to which job ${inner.jobId} copies, and this sync deletes what its own source has not: exclude it by name`,
    );
  }
}

/** Those at the place of one of them, and below it. */
function* below(copies: readonly Copy[], index: number): Generator<Copy> {
  const { place = "" } = copies[index] ?? {};
  let at = index;
  while (copies[at - 1]?.place === place) at -= 1;
  for (let copy = copies[at]; copy?.place.startsWith(place); copy = copies[(at += 1)]) yield copy;
}

function isLost(inner: Copy, outer: Copy): boolean {
  if (outer.spares === undefined || inner.where === outer.where) return false;
  // What the outer one has at the same place it copies there too.
  if (inner.origin === `${outer.origin}${inner.place.slice(outer.place.length)}`) return false;
  const source = outer.meansContents ? `${outer.to}/` : outer.to;
  return !excludes(outer.spares, { source, from: outer.to, target: inner.to });
}

function copiesOf(job: RawJob, path: KeyPath, usualPort: number): Copy[] {
  const pulls = job.direction === "pull";
  const targets: readonly Target[] = job.type === "local" ? [{}] : (job.targets ?? [{ host: job.host }]);
  return recordsOf(job.actions).flatMap(([index, action]) => {
    if (action["action"] !== "sync") return [];
    const sync = action as unknown as RawSyncAction;
    const where = [...path, "actions", index, "dest"];
    const spares = sparedBy(job, sync);
    return targets.flatMap(({ host = "", port: given = job.port, dest = sync.dest }) => {
      const port = Number(given ?? usualPort);
      // Behind another port of this host there may be a tunnel, or a container.
      const there = host === "" || (isThisHost(host) && port === sshPort) ? "" : `${host} ${port}`;
      if (!dest.startsWith("/")) return [];
      return [sync.source].flat().map((source): Copy => {
        const from = absolute(source);
        const isContents = meansContents(source);
        const to = isContents ? absolute(dest) : posix.join(absolute(dest), posix.basename(from));
        const [origin, place] = pulls
          ? [placeOf(there, from), placeOf("", to)]
          : [placeOf("", from), placeOf(there, to)];
        return { jobId: job.id, where, origin, place, to, meansContents: isContents, spares };
      });
    });
  });
}

function placeOf(host: string, path: string): string {
  return `${host}:${path === "/" ? "" : path}/`;
}

function sparedBy(job: RawJob, sync: RawSyncAction): readonly string[] | undefined {
  const { deletes, filters, deletesExcluded } = reportOnSync(sync, { allowsUnsafe: true });
  const all = job.watch?.delete === "full" || job.watch?.delete === "all";
  if ((!deletes && !all) || !canBeSeen(filters) || (sync.extensions ?? []).length > 0) return undefined;
  return [...filters.protects, ...(deletesExcluded ? [] : filters.excludes)];
}

/** Of a pattern nobody here can say what it leaves out. */
function canBeSeen({ unseen, excludes: left, protects }: FilterReport): boolean {
  return !unseen && [...left, ...protects].every((pattern) => !/[*?[]/.test(pattern));
}

import { posix } from "node:path";
import { parseDuration } from "../base/duration.ts";
import { parseSize } from "../base/size.ts";
import { expandHome, withoutSlash } from "./paths.ts";
import { type EndpointDefaults, resolveEndpoint } from "./resolve-endpoint.ts";
import type { Guard, Target, Watch } from "./resolved.ts";
import type { TrackChanges } from "./resolved-tracking.ts";
import type { RawTrackChanges } from "./schema-changes.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawAction } from "./schema-sync.ts";
import type { RawGuard, RawTarget, RawWatch } from "./schema-watch.ts";

const day = 86_400_000;

/** The targets of a job: those it lists, else its host, else this host. */
export function resolveTargets(job: RawJob, defaults: EndpointDefaults): Target[] {
  if (job.type === "local") return [{ id: "local", endpoint: undefined, dest: undefined, bwlimit: undefined }];
  const listed: readonly RawTarget[] = job.targets ?? [{ host: job.host ?? "" }];
  return listed.map((target) => {
    const { user = job.user, port = job.port, private_ssh_key = job.private_ssh_key } = target;
    const keys = Object.fromEntries(
      Object.entries({ user, port, private_ssh_key }).filter(([, value]) => value !== undefined),
    );
    return {
      id: target.id ?? target.host,
      endpoint: resolveEndpoint(target.host, keys, defaults),
      dest: target.dest,
      bwlimit: target.bwlimit === undefined ? undefined : String(target.bwlimit),
    };
  });
}

export function resolveGuard(guard: RawGuard = {}): Guard {
  return {
    requirePaths: [guard.require_path ?? []].flat(),
    nonEmpty: guard.non_empty ?? true,
    maxDelete: guard.max_delete,
    maxDeletePercent: guard.max_delete_percent,
  };
}

export function resolveWatch(job: RawJob, home: string): Watch | undefined {
  if (job.watch === undefined) return undefined;
  const watch: RawWatch = job.watch;
  const sources = (job.actions ?? []).flatMap((action) => watchedBy(action));
  const whole = watch.delete ?? "off";
  return {
    paths: [
      ...new Set(
        (watch.paths === undefined ? sources : [watch.paths].flat()).map((path) =>
          posix.resolve(expandHome(path, home)),
        ),
      ),
    ],
    debounceMs: milliseconds(watch.debounce) ?? 5000,
    maxDelayMs: milliseconds(watch.max_delay) ?? 60_000,
    maxBatch: watch.max_batch ?? 10_000,
    extensions: watch.extensions ?? commonExtensions(job.actions ?? []),
    include: [watch.include ?? []].flat(),
    exclude: [watch.exclude ?? []].flat(),
    fullSyncIntervalMs: milliseconds(watch.full_sync_interval) ?? 3_600_000,
    fullSyncThreshold: watch.full_sync_threshold ?? 20_000,
    onStart: watch.on_start ?? "full",
    deleteWatched: whole === "watch" || whole === "all",
    deleteOnFull: whole === "full" || whole === "all",
  };
}

/** What an action carries when it changes; a command carries nothing. */
function watchedBy(action: RawAction): string[] {
  if (action.action === "sync") return [action.source].flat();
  return action.action === "csync2" ? [action.path ?? []].flat() : [];
}

export function resolveTrackChanges(
  track: boolean | RawTrackChanges | undefined,
  home: string,
): TrackChanges | undefined {
  if (track === undefined || track === false) return undefined;
  const raw: RawTrackChanges = track === true ? {} : track;
  if (raw.enabled === false) return undefined;
  return {
    backupDir: raw.backup_dir === undefined ? undefined : withoutSlash(expandHome(raw.backup_dir, home)),
    logFile: raw.log_file === undefined ? undefined : expandHome(raw.log_file, home),
    diffTool: raw.diff_tool ?? "builtin",
    maxFileSize: bytes(raw.max_file_size) ?? 1024 ** 2,
    logMaxSize: bytes(raw.log_max_size) ?? 10 * 1024 ** 2,
    logKeep: raw.log_keep ?? 5,
    keepLast: raw.keep_last ?? 10,
    keepMs: daysToMs(raw.keep_days) ?? 90 * day,
    maxSize: bytes(raw.max_size) ?? 1024 ** 3,
  };
}

/** What no action of the job takes need not be watched for; one that takes everything, as csync2 does, has no endings. */
function commonExtensions(actions: readonly RawAction[]): string[] {
  const endings = actions
    .filter(({ action }) => action !== "command")
    .map((action) => (action.action === "sync" ? (action.extensions ?? []) : []));
  return endings.some((own) => own.length === 0) ? [] : [...new Set(endings.flat())];
}

function milliseconds(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(value);
}

function bytes(value: string | undefined): number | undefined {
  return value === undefined ? undefined : parseSize(value);
}

/** A bare number of `keep_days` counts days, as its name says. */
export function daysToMs(value: number | string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const bare = typeof value === "number" || /^\s*\d+(\.\d+)?\s*$/.test(value);
  return bare ? Math.round(Number(value) * day) : parseDuration(value);
}

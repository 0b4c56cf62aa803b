import { parseDuration } from "../base/duration.ts";
import { expandHome } from "./paths.ts";
import { resolveAction } from "./resolve-action.ts";
import { type EndpointDefaults, resolveEndpoint, resolveLock } from "./resolve-endpoint.ts";
import { resolveChannel, resolveHook } from "./resolve-notify.ts";
import { resolveLease, resolveOperationTimeout } from "./resolve-lease.ts";
import { daysToMs, resolveGuard, resolveTargets, resolveTrackChanges, resolveWatch } from "./resolve-watch.ts";
import type { Block, Config, Job, LogOutput, RetryPolicy, Scheduling } from "./resolved.ts";
import type { RawBlock } from "./schema-endpoint.ts";
import type { RawJob, RawRetry } from "./schema-job.ts";
import type { RawWeb } from "./schema-web.ts";
import type { RawConfig, RawLogOutput } from "./schema.ts";
import type { WebListen } from "./web-listen.ts";

const day = 86_400_000;

/** Turns a checked configuration into the one the program uses: defaults filled in, everything frozen. */
export function resolveConfig(raw: RawConfig, about: { file: string; home: string }): Config {
  const { file, home } = about;
  const scheduling = resolveScheduling(raw, {
    timezone: undefined,
    cronDialect: raw.cron_dialect ?? "linux",
    dialectChosen: raw.cron_dialect !== undefined,
    jitterMs: 0,
    onMissed: "skip",
    startingDeadlineMs: undefined,
  });
  const { metrics = {}, history = {} } = raw;
  return deepFreeze({
    file,
    rsyncId: raw.rsync_id,
    schedules: listOf(raw.cron_schedule),
    scheduling,
    pidFileDir: raw.pid_file_dir === undefined ? undefined : expandHome(raw.pid_file_dir, home),
    stateDir: raw.state_dir === undefined ? undefined : expandHome(raw.state_dir, home),
    inhibitSleep: raw.inhibit_sleep ?? true,
    metrics: {
      addr: metrics.addr ?? "0.0.0.0",
      port: Number(metrics.port ?? 9090),
      startupTimeoutMs: milliseconds(metrics.startup_timeout_seconds) ?? 10_000,
      startupRetryWaitMs: milliseconds(metrics.startup_retry_wait_seconds) ?? 2000,
      startupRetryLimit: metrics.startup_retry_limit ?? 3,
    },
    web: resolveWeb(raw.web, home),
    logging: (raw.logging ?? [{ type: "stdout" }]).map((output) => resolveLog(output, home)),
    history: { keepRuns: history.keep_runs ?? 1000, keepMs: daysToMs(history.keep_days) ?? 90 * day },
    lockOperationTimeoutMs: resolveOperationTimeout(raw.lock),
    notify: (raw.notify ?? []).map((channel) => resolveChannel(channel, home)),
    jobs: resolveJobs(raw, { scheduling, home }),
  });
}

function resolveJobs(raw: RawConfig, about: Pick<JobContext, "scheduling" | "home">): Job[] {
  const context = { raw, shared: shareEqual(), ...about };
  return raw.jobs.map((job) => resolveJob({ ...raw.defaults, ...job }, context));
}

interface JobContext {
  raw: RawConfig;
  scheduling: Scheduling;
  home: string;
  shared: <Part extends object>(part: Part) => Part;
}

/** Most jobs inherit most of what they are: parts that are equal are one object in all of them. */
function shareEqual(): JobContext["shared"] {
  const known = new Map<string, object>();
  return <Part extends object>(part: Part) => {
    const text = JSON.stringify(part);
    const first = known.get(text) ?? part;
    known.set(text, first);
    return first as Part;
  };
}

const noExitCodes: Job["exitCodes"] = new Map();

function resolveJob(job: RawJob, { raw, scheduling, home, shared }: JobContext): Job {
  // Blocks within a job are laid over those of `defaults` and the top key by key.
  const ssh = { ...raw.ssh, ...raw.defaults?.ssh, ...job.ssh };
  const defaults: EndpointDefaults = { ssh, home };
  const remote = job.type === "remote";
  const { host: _, ...peerAccess } = resolveEndpoint("", job, defaults);
  return {
    id: job.id,
    type: job.type,
    enabled: job.enabled ?? true,
    direction: (remote ? job.direction : undefined) ?? "push",
    targets: resolveTargets(job, defaults),
    maxParallel: job.max_parallel ?? 4,
    schedules: listOf(job.schedule),
    scheduling: shared(resolveScheduling(job, scheduling)),
    lockFiles: (job.lock_files ?? []).map((lock) => resolveLock(lock, job, defaults)),
    lease: shared(resolveLease(raw.lock, raw.defaults?.lock, job.lock)),
    blocksOn: (job.blocks_on ?? []).map((block) => resolveBlock(block, job, defaults)),
    hold: job.hold ?? "auto",
    holdDir: job.hold_dir ?? "/run/rsyncdirector-locks",
    concurrency: job.concurrency ?? "queue",
    timeoutMs: milliseconds(job.timeout),
    stallTimeoutMs: milliseconds(job.stall_timeout),
    warnAfterMs: milliseconds(job.warn_after),
    retry: shared(resolveRetry({ ...retryBlock(raw.defaults?.retry), ...retryBlock(job.retry) })),
    exitCodes:
      job.exit_codes === undefined ? noExitCodes : new Map(job.exit_codes.map((each) => [each.code, each.treat_as])),
    allowUnsafeOpts: job.allow_unsafe_opts ?? false,
    guard: shared(resolveGuard({ ...raw.defaults?.guard, ...job.guard })),
    watch: resolveWatch(job, home),
    trackChanges: resolveTrackChanges(job.track_changes, home),
    hooks: (job.hooks ?? []).map(resolveHook),
    actions: (job.actions ?? []).map((action) => resolveAction(action, { home, ssh: peerAccess })),
  };
}

function resolveBlock(block: RawBlock, job: RawJob, defaults: EndpointDefaults): Block {
  return {
    lock: resolveLock(block, job, defaults),
    waitTimeMs: milliseconds(block.wait_time) ?? 60_000,
    timeoutMs: milliseconds(block.timeout),
    onTimeout: block.on_timeout ?? "skip",
  };
}

type SchedulingKeys = Pick<RawConfig, "timezone" | "jitter" | "on_missed" | "starting_deadline">;

function resolveScheduling(raw: SchedulingKeys, above: Scheduling): Scheduling {
  return {
    timezone: raw.timezone ?? above.timezone,
    cronDialect: above.cronDialect,
    dialectChosen: above.dialectChosen,
    jitterMs: milliseconds(raw.jitter) ?? above.jitterMs,
    onMissed: raw.on_missed ?? above.onMissed,
    startingDeadlineMs: milliseconds(raw.starting_deadline) ?? above.startingDeadlineMs,
  };
}

function retryBlock(retry: number | RawRetry | undefined): RawRetry {
  return typeof retry === "number" ? { limit: retry } : (retry ?? {});
}

function resolveRetry(retry: RawRetry): RetryPolicy {
  return {
    limit: retry.limit ?? 0,
    delayMs: milliseconds(retry.delay) ?? 30_000,
    maxDelayMs: milliseconds(retry.max_delay) ?? 600_000,
    backoff: retry.backoff ?? 2,
    exitCodes: retry.exit_codes,
  };
}

function resolveLog(output: RawLogOutput, home: string): LogOutput {
  const level = output.level ?? "info";
  if (output.type === "stdout") return { type: "stdout", level, format: output.format ?? "auto" };
  return { type: "file", path: expandHome(output.path, home), level, format: output.format ?? "json" };
}

function resolveWeb(web: RawWeb | undefined, home: string): WebListen | undefined {
  if (web === undefined) return undefined;
  const fileOf = (path: string | undefined) => (path === undefined ? undefined : expandHome(path, home));
  return {
    addr: web.addr ?? "127.0.0.1",
    port: Number(web.port),
    tokenFile: fileOf(web.token_file),
    webConfigFile: fileOf(web.web_config_file),
    allowedHosts: web.allowed_hosts ?? [],
    allowActions: web.allow_actions,
  };
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat().map((text) => text.trim());
}

function milliseconds(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(value);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

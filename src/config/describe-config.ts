import { exactDuration, listOrNothing } from "./describe-parts.ts";
import { describeChannel, describeHook } from "./describe-notify.ts";
import { describeGuard, describeTrackChanges, describeWatch } from "./describe-watch.ts";
import { join } from "node:path";
import type {
  Action,
  Block,
  Config,
  Csync2Action,
  Job,
  LockFile,
  LockLease,
  LogOutput,
  Scheduling,
  SshEndpoint,
} from "./resolved.ts";
import { quoteWord } from "../base/shell-words.ts";
import type { Tree } from "./tree.ts";
import type { WebListen } from "./web-listen.ts";

/**
 * The resolved configuration in the words of the file, with every default and inherited value written
 * out. Loading what this returns gives the same configuration again, now with its cron dialect chosen.
 */
export function describeConfig(config: Config): Tree {
  return clean({
    rsync_id: config.rsyncId,
    cron_schedule: listOrNothing(config.schedules),
    cron_dialect: config.scheduling.cronDialect,
    ...describeScheduling(config.scheduling),
    pid_file_dir: config.pidFileDir,
    state_dir: config.stateDir,
    inhibit_sleep: config.inhibitSleep,
    metrics: {
      addr: config.metrics.addr,
      port: config.metrics.port,
      startup_timeout_seconds: exactDuration(config.metrics.startupTimeoutMs),
      startup_retry_wait_seconds: exactDuration(config.metrics.startupRetryWaitMs),
      startup_retry_limit: config.metrics.startupRetryLimit,
    },
    web: describeWeb(config.web),
    logging: config.logging.map(describeLog),
    history: { keep_runs: config.history.keepRuns, keep_days: exactDuration(config.history.keepMs) },
    lock: { operation_timeout: exactDuration(config.lockOperationTimeoutMs) },
    notify: listOrNothing(config.notify.map(describeChannel)),
    jobs: config.jobs.map(describeJob),
  });
}

function describeJob(job: Job): Tree {
  return {
    id: job.id,
    type: job.type,
    enabled: job.enabled,
    ...describeTargets(job),
    max_parallel: job.maxParallel,
    ssh: describeConnection(firstEndpoint(job)),
    schedule: listOrNothing(job.schedules),
    // Without a schedule of its own nobody follows it, which would be a warning.
    ...(job.schedules.length > 0 && describeScheduling(job.scheduling)),
    lock_files: listOrNothing(job.lockFiles.map(describeLock)),
    blocks_on: listOrNothing(job.blocksOn.map(describeBlock)),
    lock: describeLease(job.lease),
    hold: job.hold,
    hold_dir: job.holdDir,
    concurrency: job.concurrency,
    timeout: exactDuration(job.timeoutMs),
    stall_timeout: exactDuration(job.stallTimeoutMs),
    warn_after: exactDuration(job.warnAfterMs),
    retry: {
      limit: job.retry.limit,
      delay: exactDuration(job.retry.delayMs),
      max_delay: exactDuration(job.retry.maxDelayMs),
      backoff: job.retry.backoff,
      exit_codes: job.retry.exitCodes,
    },
    exit_codes: listOrNothing([...job.exitCodes].map(([code, treatAs]) => ({ code, treat_as: treatAs }))),
    allow_unsafe_opts: job.allowUnsafeOpts,
    watch: describeWatch(job.watch),
    guard: describeGuard(job.guard),
    track_changes: describeTrackChanges(job.trackChanges),
    hooks: listOrNothing(job.hooks.map(describeHook)),
    actions: job.actions.map(describeAction),
  };
}

/** One host without anything of its own needs no list. */
function describeTargets(job: Job): Tree {
  const { type, direction, targets } = job;
  if (type === "local") return describeAddress(peerAccess(job));
  const [only] = targets;
  const isPlain = targets.length === 1 && only?.dest === undefined && only?.bwlimit === undefined;
  if (isPlain && only?.endpoint !== undefined && only.id === only.endpoint.host) {
    return { ...describeAddress(only.endpoint), direction };
  }
  const list = targets.map(({ id, endpoint, dest, bwlimit }) => ({
    id,
    ...(endpoint === undefined ? {} : describeAddress(endpoint)),
    dest,
    bwlimit,
  }));
  return { direction, targets: list };
}

function describeAction(action: Action): Tree {
  if (action.kind === "sync") {
    const { id, sources, dest, opts, rsync, extensions, parallel } = action;
    return {
      ...{ action: "sync", id, source: sources, dest, opts: opts.map(quoteWord), rsync: describeRsync(rsync) },
      ...{ extensions: listOrNothing([...extensions]), parallel },
    };
  }
  if (action.kind === "csync2") return describeCsync2(action);
  const { id, argv, shell, cwd } = action;
  const [program = "", ...args] = argv;
  if (shell) return { action: "command", id, shell, command: program, cwd };
  return { action: "command", id, command: quoteWord(program), args, cwd };
}

function describeCsync2(action: Csync2Action): Tree {
  const { id, systemDir, config, hostname, paths, peers, parallelUpdates, rsyncThreshold, resetAfter, opts, mode } =
    action;
  const file = config === undefined ? "csync2.cfg" : `csync2_${config}.cfg`;
  return {
    action: "csync2",
    id,
    ...(systemDir === "/etc" ? { config } : { config_file: join(systemDir, file) }),
    hostname,
    path: listOrNothing(paths),
    peers: listOrNothing(peers),
    parallel_updates: parallelUpdates,
    rsync_threshold: rsyncThreshold,
    reset_after: resetAfter,
    opts: opts.map(quoteWord),
    mode,
  };
}

function describeRsync(options: object): Tree {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) =>
      key === "timeoutSeconds" ? ["timeout", value] : [snakeCase(key), value],
    ),
  );
}

function describeLease(lease: LockLease): Tree {
  return {
    heartbeat: exactDuration(lease.heartbeatMs),
    ttl: exactDuration(lease.ttlMs),
    // A lock that is never stale has none.
    renew_deadline: lease.ttlMs === 0 ? undefined : exactDuration(lease.renewDeadlineMs),
    claim_ttl: exactDuration(lease.claimTtlMs),
    min_ttl: exactDuration(lease.minTtlMs),
    settle: exactDuration(lease.settleMs),
    break_stale: lease.breakStale,
    on_unreachable: lease.onUnreachable,
  };
}

function describeLock(lock: LockFile): Tree {
  const manners = {
    peer: lock.peer,
    foreign_stale_after: exactDuration(lock.foreignStaleAfterMs),
    allow_unsafe_directory: lock.allows?.unsafeDirectory,
    allow_network_filesystem: lock.allows?.networkFileSystem,
  };
  if (lock.type === "local") return { type: "local", path: lock.path, ...manners };
  return { type: "remote", ...describeAddress(lock.endpoint), path: lock.path, ...manners };
}

function describeBlock(block: Block): Tree {
  return {
    ...describeLock(block.lock),
    wait_time: exactDuration(block.waitTimeMs),
    timeout: exactDuration(block.timeoutMs),
    on_timeout: block.onTimeout,
  };
}

function describeAddress(endpoint: Partial<SshEndpoint> = {}): Tree {
  const { host, user, port, identityFile } = endpoint;
  return { host, user, port, private_ssh_key: identityFile };
}

/** How a job that names no host itself reaches the peers of its csync2 actions. */
function peerAccess(job: Job): Csync2Action["ssh"] | undefined {
  return job.actions.find((action) => action.kind === "csync2")?.ssh;
}

/** A job's locks share its connection settings, so any of its endpoints shows them. */
function firstEndpoint(job: Job): Omit<SshEndpoint, "host"> | undefined {
  const locks = [...job.lockFiles, ...job.blocksOn.map(({ lock }) => lock)];
  const ofLocks = locks.flatMap((lock) => (lock.type === "remote" ? [lock.endpoint] : []));
  const ofTargets = job.targets.flatMap(({ endpoint }) => endpoint ?? []);
  return ofTargets[0] ?? peerAccess(job) ?? ofLocks[0];
}

function describeConnection(endpoint: Omit<SshEndpoint, "host"> | undefined): Tree | undefined {
  if (endpoint === undefined) return undefined;
  const { knownHostsFile, hostKeyPolicy, connectTimeoutMs, jumpHost, transport, options, shareIdleMs } = endpoint;
  return {
    known_hosts_file: knownHostsFile,
    host_key_policy: hostKeyPolicy,
    connect_timeout: exactDuration(connectTimeoutMs),
    jump_host: jumpHost,
    share: shareIdleMs !== undefined,
    share_idle: exactDuration(shareIdleMs),
    transport,
    options: Object.keys(options).length === 0 ? undefined : options,
  };
}

function describeScheduling(scheduling: Scheduling): Tree {
  return {
    timezone: scheduling.timezone,
    jitter: exactDuration(scheduling.jitterMs),
    on_missed: scheduling.onMissed,
    starting_deadline: exactDuration(scheduling.startingDeadlineMs),
  };
}

function describeWeb(web: WebListen | undefined): Tree | undefined {
  if (web === undefined) return undefined;
  return {
    addr: web.addr,
    port: web.port,
    token_file: web.tokenFile,
    web_config_file: web.webConfigFile,
    allowed_hosts: listOrNothing(web.allowedHosts),
    allow_actions: web.allowActions,
  };
}

function describeLog(output: LogOutput): Tree {
  return { ...output };
}

function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Without keys that have no value, at any depth; texts written so that they are not taken for variables. */
function clean(tree: Tree): Tree {
  const escape = (_: string, value: unknown) =>
    typeof value === "string" ? value.replaceAll("${", () => "$${") : value;
  return JSON.parse(JSON.stringify(tree), escape) as Tree;
}

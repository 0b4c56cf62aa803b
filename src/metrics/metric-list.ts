/** What a metric is; its name, labels and meaning are repeated in docs/monitoring.md (a test compares). */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const job = ["job_id"] as const;
const action = ["job_id", "action_id"] as const;
/** `target` is empty for a job with one target, and where the job as a whole is meant. */
const target = ["job_id", "target"] as const;

/** Seconds, from 10 ms to two weeks: the original's, so that its dashboards go on working. */
const durationBuckets = [
  0.01, 0.1, 0.5, 1, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800, 1209600,
] as const;

/** Every metric there is. The first nine are the original's; ours have the prefix `rsyncdirector_`. */
export const metricList = {
  runsCompleted: counter("runs_completed_total", "Runs that ended, however they ended.", ["rsync_id"]),
  jobDuration: histogram("job_duration_seconds", "Duration of jobs, waiting for locks included.", job),
  blocked: histogram("blocked_seconds", "Time that jobs with blocks_on waited for the locks of others.", job),
  skippedForBlockTimeout: counter(
    "job_skipped_for_block_timeout_total",
    "Jobs skipped because the lock of another was not freed in time.",
    job,
  ),
  waits: counter("blocked_total", "How often a wait for the lock of another began, or began again.", job),
  lockFiles: gauge("lock_files", "Own lock files that the job holds now.", job),
  failedAction: counter(
    "job_aborted_for_failed_action_err_total",
    "Jobs ended by an action that returned a bad exit code.",
    action,
  ),
  failedProcess: counter(
    "job_aborted_for_failed_process_err_total",
    "Jobs ended by an action whose program could not be started or was killed.",
    action,
  ),
  failedException: counter(
    "job_aborted_for_exception_err_total",
    "Jobs ended by an action that met an internal error or an impossible configuration.",
    action,
  ),

  lastSuccess: gauge(
    "rsyncdirector_last_success_timestamp_seconds",
    "When the job, or all its syncs to that target, last ended with ok or warning; 0: never.",
    target,
  ),
  targetStatus: gauge(
    "rsyncdirector_target_last_status",
    "How the syncs to one of several targets last ended: 0 ok, 1 warning, 3 cancelled, 4 failed; -1: never ran.",
    target,
  ),
  lastRun: gauge("rsyncdirector_last_run_timestamp_seconds", "When the job last ended; 0: never.", job),
  lastStatus: gauge(
    "rsyncdirector_last_run_status",
    "How the job last ended: 0 ok, 1 warning, 2 skipped, 3 cancelled, 4 failed; -1: never ran.",
    job,
  ),
  jobState: gauge("rsyncdirector_job_state", "What the job does: 0 idle, 1 queued, 2 waiting, 3 running.", job),
  nextRun: gauge("rsyncdirector_next_run_timestamp_seconds", "When the job's schedule fires next; 0: never.", job),
  lastDue: gauge(
    "rsyncdirector_last_due_timestamp_seconds",
    "When the job's schedule came due last, whether it ran or not; 0: not yet.",
    job,
  ),
  jobOutcomes: counter("rsyncdirector_job_outcomes_total", "Jobs that ended, by outcome.", ["job_id", "outcome"]),
  jobsSkipped: counter("rsyncdirector_job_skipped_total", "Jobs that were skipped, by cause.", ["job_id", "cause"]),
  retries: counter("rsyncdirector_action_retries_total", "Actions that are tried again.", action),
  transferredBytes: counter(
    "rsyncdirector_transferred_bytes_total",
    "Size of the files that rsync transferred.",
    target,
  ),
  networkBytes: counter("rsyncdirector_network_bytes_total", "Bytes that rsync sent and received.", [
    ...target,
    "direction",
  ]),
  transferredFiles: counter("rsyncdirector_transferred_files_total", "Files that rsync transferred.", target),
  deletedFiles: counter("rsyncdirector_deleted_files_total", "Files that rsync deleted at the destination.", target),
  trackedChanges: counter(
    "rsyncdirector_tracked_changes_total",
    "Changed files that were recorded by change tracking.",
    job,
  ),
  trackingTroubles: counter(
    "rsyncdirector_change_tracking_troubles_total",
    "How often something could not be tracked; the copies are not hurt.",
    job,
  ),
  blockedUnknown: counter(
    "rsyncdirector_blocked_unknown_total",
    "Waits that began because nobody could say whether the lock of another was free.",
    job,
  ),
  lockWithdrawn: counter(
    "rsyncdirector_lock_withdrawn_total",
    "Own locks given back because another's was seen at the second look.",
    job,
  ),
  lockStuck: gauge("rsyncdirector_lock_stuck", "Own lock files that could not be freed: somebody has to look.", job),
  fenced: gauge(
    "rsyncdirector_job_fenced",
    "Whether writers of the job's last run held a kernel lock at the destination: 1 yes, 0 no; -1: not known, or nothing to fence.",
    job,
  ),
  lockState: gauge(
    "rsyncdirector_lock_state",
    "The worst state of the job's own locks: 0 none, 1 claimed, 2 held, 3 suspect (unconfirmed), 4 lost.",
    job,
  ),
  lockHeartbeatAge: gauge(
    "rsyncdirector_lock_heartbeat_age_seconds",
    "Time since the job's own locks were last confirmed, of the oldest; 0: it holds none.",
    job,
  ),
  lockSuspect: counter(
    "rsyncdirector_lock_suspect_total",
    "How often an own lock came in doubt because a sign of life was not confirmed.",
    job,
  ),
  lockLost: counter("rsyncdirector_lock_lost_total", "Own locks lost while the job ran, which stopped it.", job),
  lockForeignAge: gauge(
    "rsyncdirector_lock_foreign_age_seconds",
    "Age of the lock of another program that the job waits for; 0: of none.",
    job,
  ),
  waiting: gauge(
    "rsyncdirector_waiting_seconds",
    "How long the job has been waiting for the locks of others; 0: it does not wait.",
    job,
  ),
  lockBroken: counter("rsyncdirector_lock_broken_total", "Stale locks of others that were moved aside.", job),
  lockSpared: counter(
    "rsyncdirector_lock_spared_total",
    "Locks of others that looked stale and were not broken, because a writer still lives or the host would not.",
    job,
  ),
  scheduleMissed: counter(
    "rsyncdirector_schedule_missed_total",
    "Scheduled times that passed unused, also those made up for later.",
    job,
  ),
  pendingFiles: gauge(
    "rsyncdirector_pending_files",
    "Changed paths of a watched job that have not arrived at the target; -1: a complete sync is due.",
    ["job_id", "target"],
  ),
  oldestPending: gauge(
    "rsyncdirector_oldest_pending_seconds",
    "How long the oldest change that has not arrived at the target has waited; 0: all have.",
    ["job_id", "target"],
  ),
  watchDegraded: gauge(
    "rsyncdirector_watch_degraded",
    "1 while a watch may miss changes, so that only complete syncs find them.",
    job,
  ),
  watchDirectories: gauge("rsyncdirector_watch_directories", "Directories that are watched.", job),
  watchChanges: counter("rsyncdirector_watch_changes_total", "Changed paths that were seen, in batches.", job),
  watchFullSyncs: counter(
    "rsyncdirector_watch_full_syncs_total",
    "Complete syncs that a watch asked for, because of their time or because changes may have been missed.",
    job,
  ),
  notifications: counter(
    "rsyncdirector_notifications_total",
    "Tries to deliver notifications, by outcome; dropped: too many waited.",
    ["channel", "outcome"],
  ),
  notificationsWaiting: gauge("rsyncdirector_notifications_waiting", "Notifications that are not delivered yet.", [
    "channel",
  ]),
  lastRunBytes: gauge(
    "rsyncdirector_last_run_bytes",
    "What the syncs of the job transferred in its last successful run; -1: not known.",
    job,
  ),
  lastRunDuration: gauge(
    "rsyncdirector_last_run_duration_seconds",
    "How long the job's last successful run took, without the wait for locks; -1: not known.",
    job,
  ),
  runBytesRatio: gauge(
    "rsyncdirector_run_bytes_ratio",
    "What the last successful run transferred, divided by the median of those before; -1: not known.",
    job,
  ),
  runDurationRatio: gauge(
    "rsyncdirector_run_duration_ratio",
    "Duration of the last successful run, divided by the median of those before; -1: not known.",
    job,
  ),
  runsStarted: counter("rsyncdirector_runs_started_total", "Runs that began, by what caused them.", ["cause"]),
  runsCoalesced: counter("rsyncdirector_runs_coalesced_total", "Requests that an equal waiting run covers.", []),
  historyOk: gauge("rsyncdirector_history_db_ok", "1 while the run history can be written.", []),
  clockInDoubt: gauge(
    "rsyncdirector_clock_in_doubt",
    "1 while the clock is far ahead of when it was last seen, and nothing more is deleted for its age.",
    [],
  ),
  buildInfo: gauge("rsyncdirector_build_info", "Always 1; the labels say which program this is.", ["version", "node"]),

  processStart: gauge("process_start_time_seconds", "When the process was started.", []),
  processMemory: gauge("process_resident_memory_bytes", "Memory that the process occupies.", []),
  processCpu: counter("process_cpu_seconds_total", "CPU time that the process has used.", []),
  processFiles: gauge("process_open_fds", "File descriptors that the process has open.", []),
} as const satisfies Record<string, MetricDefinition>;

export type MetricKey = keyof typeof metricList;

function counter<const Labels extends readonly string[]>(name: string, help: string, labels: Labels) {
  return { type: "counter", name, help, labels } as const;
}

function gauge<const Labels extends readonly string[]>(name: string, help: string, labels: Labels) {
  return { type: "gauge", name, help, labels } as const;
}

function histogram<const Labels extends readonly string[]>(name: string, help: string, labels: Labels) {
  return { type: "histogram", name, help, labels, buckets: durationBuckets } as const;
}

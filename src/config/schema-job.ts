import Type, { type Static } from "typebox";
import { blockBlock, endpointKeys, jobSshBlock, lockFileBlock } from "./schema-endpoint.ts";
import { trackChangesBlock } from "./schema-changes.ts";
import { hookList } from "./schema-hooks.ts";
import { jobLockBlock } from "./schema-lock.ts";
import { block, choice, duration, flag, integer, positiveDuration, text, textOrList } from "./schema-parts.ts";
import { actionSchema, olderSync, type RawAction } from "./schema-sync.ts";
import { guardBlock, targetList, watchBlock } from "./schema-watch.ts";

const { Optional } = Type;

/** Keys about time; a job has the same for a schedule of its own. */
export const schedulingKeys = {
  timezone: Optional(
    text("line", { description: "Time zone of the schedules, else the host's.", examples: ["Europe/Berlin"] }),
  ),
  jitter: Optional(
    duration({
      description: "Every time is put off by up to so much, to spread the load.",
      default: 0,
      examples: ["10m"],
    }),
  ),
  on_missed: Optional(
    choice(["skip", "once"], {
      description: "Times that passed while the daemon was down: forget them, or make up for them by one run.",
      default: "skip",
    }),
  ),
  starting_deadline: Optional(
    duration({
      description: "A missed time older than this is not made up for; without it there is no limit.",
      examples: ["6h"],
    }),
  ),
};

/** Of a job, for its own schedule. No default stands here: what a job does not say, the top says. */
const ownSchedulingKeys = {
  timezone: Optional(
    text("line", {
      description: "Time zone of the job's own `schedule`, else the instance's.",
      examples: ["Europe/Berlin"],
    }),
  ),
  jitter: Optional(
    duration({
      description: "Every time of the job's own `schedule` is put off by up to so much, else as at the top.",
      examples: ["10m"],
    }),
  ),
  on_missed: Optional(
    choice(["skip", "once"], {
      description:
        "Times of the job's own `schedule` that passed while the daemon was down: forget them, or make up for them by one run; else as at the top.",
    }),
  ),
  starting_deadline: Optional(
    duration({
      description: "A missed time of the job's own `schedule` that is older is not made up for; else as at the top.",
      examples: ["6h"],
    }),
  ),
};

const retryBlock = block("retry", "Try a failed action again.", {
  limit: Optional(integer(0, 1000, { description: "Further tries after the first.", default: 0, examples: [3] })),
  delay: Optional(duration({ description: "Wait before the first further try.", default: 30 })),
  max_delay: Optional(duration({ description: "The wait grows no longer than this.", default: "10m" })),
  backoff: Optional(
    Type.Number({ minimum: 1, maximum: 100, description: "Factor from one wait to the next.", default: 2 }),
  ),
  exit_codes: Optional(
    Type.Array(Type.Integer({ minimum: 1, maximum: 255 }), {
      description: "Which exit codes are tried again; else those of rsync and ssh that may pass.",
      minItems: 1,
      examples: [[10, 12, 30, 255]],
    }),
  ),
});

const exitCodeRule = block("exit code", "Another meaning for an exit code.", {
  code: integer(1, 255, { description: "The exit code.", examples: [24] }),
  treat_as: choice(["ok", "warning", "error", "retry"], { description: "What it counts as." }),
});

/** Keys that `defaults` may set for all jobs. */
const sharedJobKeys = {
  enabled: Optional(flag({ description: "`false`: the job is never run.", default: true })),
  schedule: Optional(
    textOrList("cron", {
      description: "Times of this job alone; without it the instance's `cron_schedule` runs it.",
      examples: ["30 2 * * *", ["0 6 * * mon-fri", "0 9 * * sat"]],
    }),
  ),
  ...ownSchedulingKeys,
  ...endpointKeys,
  direction: Optional(
    choice(["push", "pull"], { description: "Remote jobs: copy to the other host, or from it.", default: "push" }),
  ),
  ssh: Optional(jobSshBlock),
  lock_files: Optional(
    Type.Array(lockFileBlock, { description: "Locks the job holds while it works: all of them, or it does not run." }),
  ),
  blocks_on: Optional(
    Type.Array(blockBlock, { description: "Locks the job waits for; it begins when all of them are gone." }),
  ),
  lock: Optional(jobLockBlock),
  hold: Optional(
    choice(["auto", "required", "off"], {
      description:
        "Writers at the destination hold a kernel lock, so that a second one is refused even after its director was cut off. `auto`: where the account there may run commands; `required`: the job fails where it cannot be.",
      default: "auto",
    }),
  ),
  hold_dir: Optional(
    text("remote-path", {
      description:
        "Directory for that kernel lock on the host that is written, used for lock files that lie on another host.",
      default: "/run/rsyncdirector-locks",
    }),
  ),
  concurrency: Optional(
    choice(["queue", "forbid", "replace"], {
      description: "Due while it still runs: once more afterwards, not at all, or instead of the running one.",
      default: "queue",
    }),
  ),
  timeout: Optional(
    positiveDuration({ description: "Longest time for the whole job, waiting for locks included.", examples: ["6h"] }),
  ),
  stall_timeout: Optional(
    positiveDuration({
      description: "An action without output and without progress for so long is stopped.",
      examples: ["30m"],
    }),
  ),
  warn_after: Optional(
    positiveDuration({ description: "Say so when the job runs longer than this.", examples: ["2h"] }),
  ),
  retry: Optional(
    Type.Unsafe<number | Static<typeof retryBlock>>({
      ...retryBlock,
      type: ["integer", "object"],
      minimum: 0,
      maximum: 1000,
      description: "Try a failed action again; a number is short for `limit`.",
    }),
  ),
  exit_codes: Optional(Type.Array(exitCodeRule, { description: "Other meanings for exit codes of the actions." })),
  allow_unsafe_opts: Optional(
    flag({
      description: "Accept options of rsync that run programs or write elsewhere, such as `--rsync-path`.",
      default: false,
    }),
  ),
  watch: Optional(watchBlock),
  max_parallel: Optional(integer(1, 1000, { description: "So many targets at a time.", default: 4 })),
  guard: Optional(guardBlock),
  hooks: Optional(hookList),
  track_changes: Optional(trackChangesBlock),
};

export const jobBlock = block("job", "Actions that run one after the other, behind the same locks.", {
  id: text("id", { description: "Name of the job, for the command line, logs and metrics.", examples: ["home"] }),
  type: choice(["local", "remote"], {
    description: "`local`: the syncs stay on this host. `remote`: to or from `host`.",
  }),
  ...sharedJobKeys,
  targets: Optional(targetList),
  actions: Optional(
    Type.Unsafe<RawAction[]>({
      type: "array",
      minItems: 1,
      items: actionSchema,
      description: "What the job does, in this order; a failed action ends the job.",
    }),
  ),
  syncs: Optional(
    Type.Array(olderSync, { minItems: 1, description: "The older layout of `actions`, still read.", deprecated: true }),
  ),
});

export const defaultsBlock = block("defaults", "Values for every job that does not set them itself.", sharedJobKeys);

export type RawJob = Static<typeof jobBlock>;

export type RawRetry = Static<typeof retryBlock>;

import Type, { type Static } from "typebox";
import { sshBlock } from "./schema-endpoint.ts";
import { defaultsBlock, jobBlock, schedulingKeys } from "./schema-job.ts";
import { lockBlock } from "./schema-lock.ts";
import { notifyList } from "./schema-notify.ts";
import {
  block,
  choice,
  days,
  integer,
  listenPort,
  oneOfBlocks,
  positiveDuration,
  duration,
  flag,
  text,
  textList,
  textOrList,
} from "./schema-parts.ts";
import { webBlock } from "./schema-web.ts";

/**
 * What a person may write. This is the one source of the raw types, of the generated validator, of the
 * JSON schema for editors and of the manual (`scripts/generate-config-docs.ts`). The program itself
 * imports only types from here: TypeBox is not needed at run time.
 */
const { Optional } = Type;

const metricsBlock = block("metrics", "Where Prometheus finds `/metrics`, and anybody `/healthz`.", {
  addr: Optional(
    text("listen-address", { description: "Address to listen on.", default: "0.0.0.0", examples: ["127.0.0.1"] }),
  ),
  port: Optional(listenPort({ description: "Port to listen on; 0 lets the kernel choose.", default: 9090 })),
  startup_timeout_seconds: Optional(
    positiveDuration({ description: "Longest time for starting to listen.", default: 10 }),
  ),
  startup_retry_wait_seconds: Optional(duration({ description: "Wait before trying a taken port again.", default: 2 })),
  startup_retry_limit: Optional(integer(0, 1000, { description: "So many further tries.", default: 3 })),
});

const levels = ["debug", "info", "warn", "error"] as const;
const levelKey = Optional(choice(levels, { description: "Least important level to write.", default: "info" }));

const stdoutLog = block("log to standard output", "Lines on standard output, which systemd keeps.", {
  type: Type.Literal("stdout", { description: "Kind of the output." }),
  level: levelKey,
  format: Optional(
    choice(["auto", "json", "text", "logfmt"], {
      description: "`auto`: readable on a terminal, JSON otherwise.",
      default: "auto",
    }),
  ),
});

const fileLog = block("log to a file", "Lines appended to a file.", {
  type: Type.Literal("file", { description: "Kind of the output." }),
  path: text("file-path", { description: "The file.", examples: ["/var/log/rsyncdirector/nas.log"] }),
  level: levelKey,
  format: Optional(choice(["json", "text", "logfmt"], { description: "Form of the lines.", default: "json" })),
});

export type RawLogOutput = Static<typeof stdoutLog> | Static<typeof fileLog>;

const historyBlock = block("history", "How long finished runs are remembered.", {
  keep_runs: Optional(integer(1, 10_000_000, { description: "So many runs at most.", default: 1000 })),
  keep_days: Optional(
    days({ description: "None older than so many days; a duration such as `12w` will do too.", default: 90 }),
  ),
});

export const configSchema = Type.Object(
  {
    rsync_id: text("id", {
      description: "Name of this instance, for its pid file, locks and metrics.",
      examples: ["nas"],
    }),
    cron_schedule: Optional(
      textOrList("cron", {
        description: "When to run every enabled job that has no `schedule`: one cron expression or a list.",
        examples: ["30 2 * * *", ["0 */4 * * *", "30 22 * * fri"]],
      }),
    ),
    cron_dialect: Optional(
      choice(["linux", "apscheduler"], {
        description:
          "How to read cron expressions. `apscheduler` is the Python original's way: 0 is Monday, if both day fields are given both must match, and `5/15` and `last` are understood.",
        default: "linux",
      }),
    ),
    ...schedulingKeys,
    pid_file_dir: Optional(
      text("file-path", {
        description: "Directory of the pid file; else `/run/rsyncdirector` or the user's runtime directory.",
        examples: ["/run/rsyncdirector"],
      }),
    ),
    state_dir: Optional(
      text("file-path", {
        description:
          "Directory of the run history and other state; else what systemd gives, or `/var/lib/rsyncdirector`.",
        examples: ["/var/lib/rsyncdirector"],
      }),
    ),
    inhibit_sleep: Optional(
      flag({
        description: "Have logind keep the host from falling asleep by itself while a job works.",
        default: true,
      }),
    ),
    metrics: Optional(metricsBlock),
    logging: Optional(
      Type.Array(oneOfBlocks<RawLogOutput>("type", "log output", "One place for log lines.", [stdoutLog, fileLog]), {
        minItems: 1,
        description: "Where log lines go; standard output unless given.",
      }),
    ),
    history: Optional(historyBlock),
    ssh: Optional(sshBlock),
    lock: Optional(lockBlock),
    include: Optional(
      textList("line", {
        description: "Further files with `jobs` and `defaults`, relative to this one; `*`, `?` and `[…]` match names.",
        examples: [["conf.d/*.yaml"]],
      }),
    ),
    defaults: Optional(defaultsBlock),
    notify: Optional(notifyList),
    web: Optional(webBlock),
    jobs: Type.Array(jobBlock, { minItems: 1, description: "The jobs, run in this order." }),
  },
  {
    $id: "urn:rsyncdirector:configuration",
    title: "rsyncdirector configuration",
    description: "One file per instance.",
    additionalProperties: false,
  },
);

/** The checked content of a configuration file (with its included files), before defaults. */
export type RawConfig = Static<typeof configSchema>;

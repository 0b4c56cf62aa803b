import Type from "typebox";
import {
  bandwidth,
  block,
  choice,
  duration,
  flag,
  integer,
  listenPort,
  text,
  textList,
  textOrList,
} from "./schema-parts.ts";
import { endpointKeys } from "./schema-endpoint.ts";

/**
 * Keys whose names are settled and whose work a later version does. The schema knows them so that
 * editors and old files do; `unavailable.ts` refuses them by name.
 */
const { Optional } = Type;

export const watchBlock = block("watch", "Run the job when files change.", {
  paths: Optional(textOrList("operand", { description: "What to watch; else the sources of the job." })),
  debounce: Optional(duration({ description: "Quiet time after the last change before a run.", default: 5 })),
  max_delay: Optional(duration({ description: "Run at the latest so long after the first change.", default: "1m" })),
  max_batch: Optional(integer(1, 1_000_000, { description: "Run as soon as so many paths have changed." })),
  extensions: Optional(textList("line", { description: "Only files with these endings count.", examples: [[".rrd"]] })),
  full_sync_interval: Optional(duration({ description: "A complete sync at least so often.", default: "1h" })),
  full_sync_threshold: Optional(
    integer(1, 1_000_000, { description: "More changed paths than this: a complete sync." }),
  ),
  on_start: Optional(
    choice(["full", "none"], { description: "Whether a complete sync comes first.", default: "full" }),
  ),
  delete: Optional(
    choice(["off", "watch", "full", "all"], { description: "Which of the syncs delete.", default: "off" }),
  ),
});

export const guardBlock = block("guard", "Conditions without which a job that deletes does not run.", {
  require_path: Optional(
    textOrList("operand", { description: "Paths that must exist, such as a marker on the mounted disk." }),
  ),
  non_empty: Optional(flag({ description: "The source must not be empty.", default: true })),
  max_delete: Optional(integer(0, 2_147_483_647, { description: "Refuse a run that would delete more files." })),
  max_delete_percent: Optional(integer(0, 100, { description: "Refuse a run that would delete a larger share." })),
});

export const hookList = Type.Array(
  block("hook", "Something to run at a moment of the job.", {
    on: Type.Unsafe<string | string[]>({
      type: ["string", "array"],
      description: "Moments: start, success, warning, failure, skipped, blocked, aborted, finally.",
      items: { type: "string" },
    }),
    run: textOrList("command", { description: "Commands." }),
    when: Optional(choice(["changed"], { description: "Only if something was transferred." })),
  }),
  { description: "Commands at the moments of a job." },
);

export const notifyList = Type.Array(
  Type.Unsafe<Record<string, unknown>>({
    type: "object",
    required: ["type"],
    properties: {
      type: { type: "string", enum: ["webhook", "healthchecks", "ntfy", "email", "command"], description: "Channel." },
      on: { type: ["string", "array"], items: { type: "string" }, description: "Outcomes to tell about." },
    },
  }),
  { description: "Who is told about the outcome of jobs." },
);

export const webBlock = block("web", "Status page and API.", {
  addr: Optional(text("listen-address", { description: "Address to listen on.", default: "127.0.0.1" })),
  port: listenPort({ description: "Port to listen on.", examples: [8080] }),
  token_file: Optional(text("file-path", { description: "File with the token that requests must bring." })),
});

export const trackChangesBlock = Type.Unsafe<boolean | Record<string, unknown>>({
  type: ["boolean", "object"],
  description: "Keep previous copies of changed files, and differences of text files.",
  properties: {
    backup_dir: { type: "string", description: "Where previous copies are kept." },
    log_file: { type: "string", description: "Where changes are written down." },
  },
  additionalProperties: false,
});

export const targetList = Type.Array(
  block("target", "One of several hosts that get the same.", {
    user: endpointKeys.user,
    host: text("host", { description: "The host." }),
    port: endpointKeys.port,
    private_ssh_key: endpointKeys.private_ssh_key,
    dest: Optional(text("operand", { description: "Another destination than the sync's." })),
    bwlimit: Optional(bandwidth({ description: "Limit of the transfer rate to this host." })),
  }),
  { description: "Several hosts that get the same." },
);

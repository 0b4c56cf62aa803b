import Type, { type Static } from "typebox";
import { endpointKeys } from "./schema-endpoint.ts";
import {
  bandwidth,
  block,
  choice,
  duration,
  flag,
  integer,
  positiveDuration,
  text,
  textList,
  textOrList,
} from "./schema-parts.ts";

const { Optional } = Type;

export const watchBlock = block("watch", "Run the job when files change, and sync what changed.", {
  paths: Optional(
    textOrList("file-path", {
      description: "What to watch, inside the sources of the job's syncs; all of them unless given.",
      examples: ["/srv/www/"],
    }),
  ),
  debounce: Optional(
    duration({ description: "Quiet time after the last change before it is synced.", default: 5, examples: ["500ms"] }),
  ),
  max_delay: Optional(
    positiveDuration({ description: "Synced at the latest so long after the first change.", default: "1m" }),
  ),
  max_batch: Optional(
    integer(1, 1_000_000, { description: "Synced as soon as so many paths have changed.", default: 10_000 }),
  ),
  extensions: Optional(
    textList("line", {
      description: "Only files with these endings count; those of the syncs unless given.",
      examples: [[".rrd", ".txt"]],
    }),
  ),
  include: Optional(
    textOrList("line", { description: "Patterns not to leave out; they come before `exclude`.", examples: ["*.rrd"] }),
  ),
  exclude: Optional(
    textOrList("line", {
      description: "Patterns to leave out, in rsync's form; an excluded directory is not watched.",
      examples: [["*.tmp", "/cache/"]],
    }),
  ),
  full_sync_interval: Optional(
    positiveDuration({
      description: "A complete sync at least so often: a watch can miss changes, this finds them.",
      default: "1h",
    }),
  ),
  full_sync_threshold: Optional(
    integer(1, 1_000_000, {
      description: "More changed paths than this in one batch: a complete sync instead of a list.",
      default: 20_000,
    }),
  ),
  on_start: Optional(
    choice(["full", "none"], {
      description: "Whether a complete sync comes first. `none` sends only what was still to be sent at the last end.",
      default: "full",
    }),
  ),
  delete: Optional(
    choice(["off", "watch", "full", "all"], {
      description:
        "What is deleted at the targets. `watch`: exactly the paths that were seen to be deleted; `full`: what a complete sync does not find in the source; `all`: both.",
      default: "off",
    }),
  ),
});

export const guardBlock = block("guard", "Conditions without which a sync that deletes does not run.", {
  require_path: Optional(
    textOrList("operand", {
      description:
        "Paths that must exist on this host, such as a marker on the mounted disk; relative ones lie in each source. No sync of the job runs without them.",
      examples: [".mounted", "/mnt/disk/.here"],
    }),
  ),
  non_empty: Optional(flag({ description: "The source must not be empty.", default: true })),
  max_delete: Optional(
    integer(0, 2_147_483_647, { description: "Refuse a sync that would delete more than this.", examples: [100] }),
  ),
  max_delete_percent: Optional(
    integer(0, 100, { description: "Refuse a sync that would delete a larger share of the target.", examples: [10] }),
  ),
});

export const targetList = Type.Array(
  block("target", "One of several hosts that get the same.", {
    id: Optional(text("id", { description: "Name of the target; its host unless given.", examples: ["office"] })),
    user: endpointKeys.user,
    host: text("host", { description: "The host.", examples: ["backup01"] }),
    port: endpointKeys.port,
    private_ssh_key: endpointKeys.private_ssh_key,
    dest: Optional(
      text("operand", {
        description: "Another destination than the sync's; only where the job has one sync.",
        examples: ["/srv/mirror"],
      }),
    ),
    bwlimit: Optional(bandwidth({ description: "Limit of the transfer rate to this host.", examples: [1000, "1.5M"] })),
  }),
  { minItems: 1, description: "Several hosts that get the same, instead of `host`." },
);

export type RawWatch = Static<typeof watchBlock>;
export type RawGuard = Static<typeof guardBlock>;
export type RawTarget = Static<typeof targetList>[number];

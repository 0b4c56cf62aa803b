import Type, { type Static } from "typebox";
import { block, choice, days, flag, integer, text } from "./schema-parts.ts";

const { Optional } = Type;

const trackBlock = block("track_changes", "What is kept of changed files.", {
  enabled: Optional(flag({ description: "`false`: nothing is tracked.", default: true })),
  backup_dir: Optional(
    text("file-path", {
      description: "Directory (0700) of the copies; below the state directory unless given.",
      examples: ["/var/lib/rsyncdirector/changes/www"],
    }),
  ),
  log_file: Optional(
    text("file-path", {
      description: "The change log (0600); in `backup_dir` unless given.",
      examples: ["/var/log/rsyncdirector/www-changes.log"],
    }),
  ),
  diff_tool: Optional(
    choice(["builtin", "diff"], {
      description: "What makes the differences; `diff` is the program.",
      default: "builtin",
    }),
  ),
  max_file_size: Optional(
    text("size", {
      description: "Of larger files no copies and no differences are kept, only that they changed.",
      default: "1M",
    }),
  ),
  log_max_size: Optional(text("size", { description: "The change log is rotated beyond this.", default: "10M" })),
  log_keep: Optional(integer(0, 1000, { description: "So many rotated change logs are kept.", default: 5 })),
  keep_last: Optional(integer(0, 100_000, { description: "So many previous copies of each file.", default: 10 })),
  keep_days: Optional(
    days({ description: "No previous copy older than so many days; a duration will do too.", default: 90 }),
  ),
  max_size: Optional(
    text("size", { description: "All previous copies together; the oldest go first.", default: "1G" }),
  ),
});

export const trackChangesBlock = Type.Unsafe<boolean | Static<typeof trackBlock>>({
  ...trackBlock,
  type: ["boolean", "object"],
  description: "Keep previous copies of changed files, and differences of text files; `true` takes the defaults.",
});

export type RawTrackChanges = Static<typeof trackBlock>;

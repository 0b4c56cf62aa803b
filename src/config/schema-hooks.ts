import Type, { type Static } from "typebox";
import { block, choice, flag, positiveDuration, textOrList } from "./schema-parts.ts";

const { Optional } = Type;

export const hookList = Type.Array(
  block("hook", "Programs to run at a moment of the job.", {
    on: textOrList("hook-moment", {
      description: "Moments: start, success, warning, failure, skipped, blocked, aborted, finally.",
      examples: ["start", ["success", "warning"]],
    }),
    run: textOrList("command", {
      description: "Programs with their arguments, one after the other until one fails.",
      examples: ["mount /mnt/usb"],
    }),
    shell: Optional(flag({ description: "Let `/bin/sh` run each element of `run`.", default: false })),
    when: Optional(
      choice(["changed"], {
        description:
          "`changed`: only if a sync has changed something, or nobody can say; not for `start` and `blocked`.",
      }),
    ),
    timeout: Optional(positiveDuration({ description: "Longest time for each of them.", default: "10m" })),
  }),
  { description: "Programs at the moments of a job." },
);

export type RawHook = Static<typeof hookList>[number];

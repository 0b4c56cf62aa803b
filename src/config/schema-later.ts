import Type from "typebox";
import { block, choice, textOrList } from "./schema-parts.ts";

/**
 * Keys whose names are settled and whose work a later version does. The schema knows them so that
 * editors and old files do; `unavailable.ts` refuses them by name.
 */
const { Optional } = Type;

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

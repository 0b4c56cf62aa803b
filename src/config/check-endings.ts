import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import { isRecord, recordsOf } from "./tree.ts";

/** `extensions` are the endings of names: without a dot `rrd` takes `notes-on-rrd` too. */
export function checkEndings(job: RawJob, path: KeyPath, log: ProblemLog): void {
  const lists = recordsOf(job.actions)
    .filter(([, action]) => action["action"] === "sync")
    .map(([index, action]) => ({ list: action["extensions"], where: [...path, "actions", index, "extensions"] }));
  const watch: unknown = job.watch;
  if (isRecord(watch)) lists.push({ list: watch["extensions"], where: [...path, "watch", "extensions"] });
  for (const { list, where } of lists) {
    if (!Array.isArray(list)) continue;
    for (const [index, ending] of list.entries()) {
      if (typeof ending !== "string" || !log.isSound([...where, index]) || ending.startsWith(".")) continue;
      const meant = ending.replace(/^\**\.*/, ".");
      log.warning(
        [...where, index],
        `is taken as the end of names, which usually begins with a dot: did you mean ${JSON.stringify(meant)}?`,
      );
    }
  }
}

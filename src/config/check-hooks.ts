import { checkCommandWords } from "./check-notify.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { KeyPath } from "./problem.ts";
import type { RawJob } from "./schema-job.ts";
import { recordsOf } from "./tree.ts";

/** Moments at which nothing can have changed yet. */
const early: readonly unknown[] = ["start", "blocked", "skipped"];

/** The rules about the hooks of a job that the schema cannot express. */
export function checkHooks(job: RawJob, path: KeyPath, log: ProblemLog): void {
  for (const [index, hook] of recordsOf(job.hooks)) {
    const here: KeyPath = [...path, "hooks", index];
    const isList = Array.isArray(hook["run"]);
    for (const [number, command] of [hook["run"] ?? []].flat().entries()) {
      checkCommandWords(command, hook, { path: here, log, key: isList ? ["run", number] : ["run"] });
    }
    if (hook["when"] !== "changed") continue;
    const wrong = [hook["on"]].flat().find((moment): moment is string => early.includes(moment));
    if (wrong !== undefined) {
      log.error([...here, "when"], `cannot be used with on: ${wrong}: nothing has been copied by then`);
    }
  }
}

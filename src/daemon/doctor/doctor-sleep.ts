import type { RunTool } from "../../base/tool-runner.ts";
import { inhibitCommand } from "../systemd/sleep-inhibitor.ts";
import { ok, warning, type Finding } from "./doctor-findings.ts";

/** Whether sleep can be put off while jobs work: it is tried, for a moment, as the account that asks. */
export async function examineSleep(
  rsyncId: string,
  deps: { runTool: RunTool; operationTimeoutMs: number },
): Promise<Finding> {
  const command = inhibitCommand({ rsyncId, why: "doctor" }, ["true"]);
  const { exitCode, stderr } = await deps.runTool(command, { timeoutMs: deps.operationTimeoutMs });
  return judgeSleep(exitCode, stderr);
}

/** Most servers never sleep: where there is no logind that is no news. */
export function judgeSleep(exitCode: number | null, stderr: string): Finding {
  if (exitCode === 0) return ok("sleep", "is put off while jobs work");
  const why = stderr.trim().split("\n").at(-1) || "no answer from logind";
  if (!/denied|authori[sz]|authentication/i.test(why)) return ok("sleep", `is not put off while jobs work: ${why}`);
  const remedy = "docs/install.md#sleep has the rule for polkit; or inhibit_sleep: false";
  return warning("sleep", `is not put off while jobs work: ${why}`, remedy);
}

import { bounded, type Differ, tooDifferent } from "../changes/unified-diff.ts";
import { runTool } from "../process/run-tool.ts";

const timeoutMs = 10_000;
/** `runTool` cuts an answer off at 1 MiB. */
const longestAnswer = 1024 * 1024;

/** The difference by the program diff (diffutils, busybox). */
export const diffProgram: Differ = async (before, after) => {
  const words = ["-a", "-u", "--label", "before", "--label", "after", "--", before.file, after.file];
  const { exitCode, stdout, stderr } = await runTool(["diff", ...words], { timeoutMs });
  // 0: equal, 1: different, anything else: it could not compare.
  if (exitCode === 1) return Buffer.byteLength(stdout) >= longestAnswer ? tooDifferent : bounded(stdout);
  if (exitCode === 0) return { kind: "none", why: "diff found none" };
  const why = stderr.trim().split("\n", 1)[0] ?? "";
  return { kind: "none", why: `diff ${exitCode === null ? "did not end in time or is not there" : "failed"}: ${why}` };
};

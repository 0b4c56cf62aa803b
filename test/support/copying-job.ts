import { type ConfigDraft, type Instance, reach, trust } from "./instance.ts";
import type { TestSshd } from "./sshd.ts";

export const copyingKinds = ["local", "push", "pull"] as const;

/** One job that copies an instance's `source` to its `dest` under locks, slow enough to be killed in the middle. */
export function copyingJob(
  kind: (typeof copyingKinds)[number],
  path: Instance["path"],
  { backup, kilobytesPerSecond, job = {} }: { backup: TestSshd; kilobytesPerSecond: number; job?: ConfigDraft },
): ConfigDraft {
  const isLocal = kind === "local";
  const opts = ["-a", `--bwlimit=${kilobytesPerSecond}`];
  return {
    ssh: trust(backup),
    jobs: [
      {
        id: "slow",
        type: isLocal ? "local" : "remote",
        ...(isLocal ? {} : { ...reach(backup), direction: kind }),
        lock_files: [
          { type: "local", path: path("locks/here") },
          ...(isLocal ? [] : [{ type: "remote", path: path("locks/there") }]),
        ],
        hold_dir: path("locks"),
        hold: "required",
        actions: [{ action: "sync", id: "copy", source: path("source/"), dest: path("dest/"), opts }],
        ...job,
      },
    ],
  };
}

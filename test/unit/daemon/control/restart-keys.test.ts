import { expect, it } from "vitest";
import { keysThatNeedRestart } from "../../../../src/daemon/control/restart-keys.ts";
import { buildConfig } from "../../../support/build-config.ts";
import { readProjectFile } from "../../../support/project-files.ts";

const before = buildConfig();
const web = { addr: "127.0.0.1", port: 0, tokenFile: undefined, webConfigFile: undefined, allowedHosts: [] };
/** All that stands at the top is another. */
const after = buildConfig({
  rsyncId: "other",
  schedules: ["0 1 * * *"],
  pidFileDir: "/run/other",
  stateDir: "/var/lib/other",
  inhibitSleep: false,
  metrics: { ...before.metrics, port: 9101 },
  web: { ...web, allowActions: undefined },
  logging: [{ type: "stdout", level: "warn", format: "json" }],
  history: { keepRuns: 1, keepMs: 1 },
  lockOperationTimeoutMs: 10_000,
});

it("names the keys that a reload cannot change, and no other", () => {
  const keys = ["rsync_id", "pid_file_dir", "state_dir", "metrics", "web", "lock.operation_timeout"];
  expect(keysThatNeedRestart(before, after)).toEqual(keys);
  expect(keysThatNeedRestart(before, buildConfig())).toEqual([]);
});

it("names those of the manual", () => {
  const [, named = ""] = /\n((?:`[\w.]+`(?:, | and ))+`[\w.]+`) can only be changed by a restart/.exec(
    readProjectFile("docs/monitoring.md"),
  ) ?? ["", ""];
  expect([...named.matchAll(/`([\w.]+)`/g)].map(([, key]) => key)).toEqual(keysThatNeedRestart(before, after));
});

import { dirname } from "node:path";
import { expect, it } from "vitest";
import type { Config } from "../../../src/config/resolved.ts";
import { controlSocket, historyFile, instanceIdFile, pidFile } from "../../../src/daemon/paths.ts";

const config: Config = {
  file: "/etc/rsyncdirector/laptop01.yaml",
  rsyncId: "laptop01",
  schedules: [],
  scheduling: {
    timezone: undefined,
    cronDialect: "linux",
    dialectChosen: false,
    jitterMs: 0,
    onMissed: "skip",
    startingDeadlineMs: undefined,
  },
  pidFileDir: undefined,
  stateDir: undefined,
  inhibitSleep: true,
  metrics: { addr: "127.0.0.1", port: 0, startupTimeoutMs: 0, startupRetryWaitMs: 0, startupRetryLimit: 0 },
  web: undefined,
  logging: [],
  history: { keepRuns: 1, keepMs: 1 },
  lockOperationTimeoutMs: 1,
  notify: [],
  jobs: [],
};

it.each(["/var/lib/one", "/var/lib/one:/var/lib/two", "/var/lib/one:/var/lib/two:/var/lib/three"])(
  "keeps the state in the first directory that systemd names in %s",
  (STATE_DIRECTORY) => {
    expect(historyFile(config, { STATE_DIRECTORY })).toBe("/var/lib/one/history-laptop01.db");
    expect(instanceIdFile(config, { STATE_DIRECTORY })).toBe("/var/lib/one/instance-laptop01.id");
  },
);

it("keeps the state where the configuration says, whatever systemd names", () => {
  const file = historyFile({ ...config, stateDir: "/srv/state" }, { STATE_DIRECTORY: "/var/lib/one:/var/lib/two" });
  expect(file).toBe("/srv/state/history-laptop01.db");
});

it("keeps the control socket beside the pid file", () => {
  const here = { ...config, pidFileDir: "/srv/run" };
  expect(controlSocket(here, {})).toBe("/srv/run/rsyncdirector-laptop01.sock");
  expect(dirname(controlSocket(here, {}))).toBe(dirname(pidFile(here, {})));
});

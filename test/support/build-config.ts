import type { Config, Scheduling } from "../../src/config/resolved.ts";

/** Schedules as they are where nothing is configured. */
export const plainScheduling: Scheduling = {
  timezone: undefined,
  cronDialect: "linux",
  dialectChosen: false,
  jitterMs: 0,
  onMissed: "skip",
  startingDeadlineMs: undefined,
};

/** A configuration without jobs; a test names only what it is about. */
export function buildConfig(overrides: Partial<Config> = {}): Config {
  return {
    file: "/etc/rsyncdirector/test.yaml",
    rsyncId: "test",
    schedules: [],
    scheduling: plainScheduling,
    pidFileDir: undefined,
    stateDir: undefined,
    inhibitSleep: true,
    metrics: { addr: "127.0.0.1", port: 0, startupTimeoutMs: 0, startupRetryWaitMs: 0, startupRetryLimit: 0 },
    web: undefined,
    logging: [],
    history: { keepRuns: 10, keepMs: 1000 },
    lockOperationTimeoutMs: 20_000,
    notify: [],
    jobs: [],
    ...overrides,
  };
}

import { dirname } from "node:path";
import { expect, it } from "vitest";
import { controlSocket, historyFile, instanceIdFile, pidFile } from "../../../src/daemon/paths.ts";
import { buildConfig } from "../../support/build-config.ts";

const config = buildConfig({ rsyncId: "laptop01" });

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

import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../../src/process/child-environment.ts";
import { readProjectFile } from "../../support/project-files.ts";

const action = { runId: "r1", jobId: "j1", actionId: "a1", attempt: 2 };

describe("a child's environment", () => {
  it("has what programs need and says who runs them", () => {
    const parent = { PATH: "/bin", HOME: "/root", TZ: "UTC", SSH_AUTH_SOCK: "/agent", LANG: "de_DE.UTF-8" };
    expect(childEnvironment(parent, action)).toEqual({
      ...parent,
      LC_ALL: "C.UTF-8",
      RSYNCDIRECTOR_RUN: "r1",
      RSYNCDIRECTOR_JOB: "j1",
      RSYNCDIRECTOR_ACTION: "a1",
      RSYNCDIRECTOR_ATTEMPT: "2",
    });
  });

  it("is what the manual says", () => {
    const anything = new Proxy<Record<string, string>>({}, { get: () => "x" });
    const [text = ""] = /\*\*Environment\.\*\*[^]+?\n\n/.exec(readProjectFile("docs/configuration.md")) ?? [];
    const named = [...text.matchAll(/`([A-Z_]+)(?:=[^`]*)?`/g)].map(([, name = ""]) => name);
    expect(new Set(named)).toEqual(new Set(Object.keys(childEnvironment(anything, action))));
  });

  it("says for which target it works, if it does for one", () => {
    expect(childEnvironment({}, { ...action, target: "backup02" })).toMatchObject({ RSYNCDIRECTOR_TARGET: "backup02" });
    expect(childEnvironment({}, action)).not.toHaveProperty("RSYNCDIRECTOR_TARGET");
  });

  it.each([
    "RSYNC_RSH",
    "RSYNC_OLD_ARGS",
    "RSYNC_PROTECT_ARGS",
    "RSYNC_PARTIAL_DIR",
    "RSYNC_ICONV",
    "RSYNC_PASSWORD",
    "CVSIGNORE",
    "NODE_OPTIONS",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "RSYNCDIRECTOR_CONFIG",
    "RSYNCDIRECTOR_RUN",
    "LC_ALL",
    "LD_PRELOAD",
  ])("never passes on %s", (name) => {
    expect(Object.values(childEnvironment({ [name]: "theirs" }, action))).not.toContain("theirs");
  });

  it("has a PATH even when the daemon has none", () => {
    expect(childEnvironment({}, action)["PATH"]).toContain("/usr/bin");
  });
});

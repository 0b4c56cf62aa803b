import { describe, expect, it } from "vitest";
import { configPath } from "../../../src/cli/config-option.ts";
import { legacyEnvironment } from "../../../src/cli/legacy-environment.ts";

describe("the original's environment", () => {
  it.each(["RSYNCMANANGER_", "RSYNCDIRECTOR_"])("is read with the prefix %s", (prefix) => {
    const env = { [`${prefix}RUNONCE`]: "1", [`${prefix}DRYRUN`]: "1", [`${prefix}LOGLEVEL`]: "WARNING" };
    expect(legacyEnvironment(env)).toEqual({ runOnce: true, dryRun: true, logLevel: "warn" });
    expect(configPath(undefined, { [`${prefix}CONFIG`]: "/etc/x.yaml" })).toBe("/etc/x.yaml");
  });

  it("means nothing unless a value is exactly 1", () => {
    const env = { RSYNCMANANGER_RUNONCE: "0", RSYNCMANANGER_DRYRUN: "true", RSYNCMANANGER_LOGLEVEL: "" };
    expect(legacyEnvironment(env)).toEqual({ runOnce: false, dryRun: false, logLevel: undefined });
  });

  it("names a level it does not know", () => {
    expect(() => legacyEnvironment({ RSYNCDIRECTOR_LOGLEVEL: "loud" })).toThrow('"loud" is not a level');
  });

  it("gives way to --config, and says how to name a configuration when nothing does", () => {
    expect(configPath("/a.yaml", { RSYNCDIRECTOR_CONFIG: "/b.yaml" })).toBe("/a.yaml");
    expect(() => configPath(undefined, { RSYNCDIRECTOR_CONFIG: "" })).toThrow("--config FILE");
  });
});

import { readFile } from "node:fs/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { AbortReason } from "../../src/base/abort.ts";
import type { SyncScope } from "../../src/model/changes.ts";
import { type Csync2TestCluster, whyNoCluster } from "../support/csync2-cluster.ts";
import { type Csync2Runs, openCsync2Runs } from "../support/csync2-runs.ts";

const missing = whyNoCluster();
if (missing !== undefined) console.warn(`conflicts of csync2 are not tested: ${missing}`);

describe.skipIf(missing !== undefined)("a file that two csync2 hosts have changed", () => {
  let runs: Csync2Runs;
  let cluster: Csync2TestCluster;
  let path: string;

  const changes = (...names: string[]): SyncScope => ({
    kind: "paths",
    changes: names.map((name) => ({ path: `${cluster.path}/${name}`, kind: "changed" })),
  });

  beforeEach(async () => {
    runs = await openCsync2Runs();
    ({ cluster } = runs);
    path = `${cluster.path}/file`;
    await runs.write("alpha", "file", "first");
    const first = await runs.run({ kind: "full", reason: "asked for" });
    if (first.kind !== "ok") throw new Error(JSON.stringify(first));
    await runs.write("beta", "file", "changed on beta");
    await runs.write("alpha", "file", "alpha's");
  });

  it("is a conflict only when it is still one a moment later", async () => {
    // The moment before the first further look is as long as beta needs here.
    const moment = runs.holdWait(1000);
    const outcome = runs.run(changes("file"));
    const passMoment = await moment;
    await cluster.csync2("beta", "-f", path);
    await cluster.csync2("beta", "-u", path);
    passMoment();
    expect(await outcome).toMatchObject({ kind: "ok" });
    for (const host of ["alpha", "beta", "gamma"] as const) {
      expect(await runs.read(host, "file")).toBe("changed on beta");
    }
  });

  it("is no failure when the peer has sent its own just before it is asked why it refused", async () => {
    await cluster.runBefore({
      host: "beta",
      calls: [
        ["-f", path],
        ["-u", path],
      ],
      callsWith: "-vvv",
    });
    expect(await runs.run(changes("file"))).toMatchObject({ kind: "ok" });
    for (const host of ["alpha", "beta", "gamma"] as const) {
      expect(await runs.read(host, "file")).toBe("changed on beta");
    }
  });

  it("is left as it is at once when the job is stopped before a further look", async () => {
    const controller = new AbortController();
    const moment = runs.holdWait(1000);
    const outcome = runs.run(changes("file"), {}, controller.signal);
    await moment;
    controller.abort(new AbortReason("shutdown", "shutdown came"));
    expect(await outcome).toMatchObject({ kind: "cancelled", reason: "shutdown" });
    expect(await runs.read("beta", "file")).toBe("changed on beta");
  });

  it("is reported by name, and overwritten nowhere until the operator chooses", async () => {
    await runs.write("alpha", "other", "other");
    const outcome = await runs.run(changes("file", "other"));
    expect(outcome).toMatchObject({ kind: "failed", retryable: false });
    expect(outcome).toHaveProperty(
      "message",
      expect.stringContaining(`beta: conflict: ${path} was changed on beta too`),
    );
    expect(outcome).not.toHaveProperty("message", expect.stringContaining("gamma"));
    expect(await runs.read("beta", "file")).toBe("changed on beta");
    expect(await runs.read("beta", "other")).toBe("other");
    expect(await runs.read("gamma", "file")).toBe("alpha's");
    // The group's key, which csync2 prints when it is asked for causes, is nowhere.
    const key = (await readFile(`${cluster.path}/../key`, "utf8")).trim();
    expect(JSON.stringify(outcome)).not.toContain(key);

    await cluster.csync2("alpha", "-f", path);
    expect(await runs.run(changes("file", "other"))).toMatchObject({ kind: "ok" });
    expect(await runs.read("beta", "file")).toBe("alpha's");
  });
});

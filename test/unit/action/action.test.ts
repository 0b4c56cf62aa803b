import { describe, expect, it } from "vitest";
import { createActionRegistry, previewAction } from "../../../src/action/action.ts";
import type { ActionDeps } from "../../../src/action/action-kind.ts";
import { OperatorError } from "../../../src/base/errors.ts";
import type { LogFields } from "../../../src/base/logger.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import type { SshEndpoint, SyncAction } from "../../../src/config/resolved.ts";
import { buildJob } from "../../support/build-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const endpoint: SshEndpoint = {
  host: "backup",
  user: "me",
  port: 2222,
  identityFile: undefined,
  knownHostsFile: undefined,
  hostKeyPolicy: "strict",
  connectTimeoutMs: 5000,
  jumpHost: undefined,
  transport: "auto",
  options: {},
};
const sync: SyncAction = {
  kind: "sync",
  id: "home",
  sources: ["/home/"],
  dest: "/backup",
  opts: ["-v"],
  rsync: { archive: true },
  extensions: [],
  parallel: 1,
};
const job = buildJob({ type: "remote", endpoint, actions: [sync] });

function deps(remoteShell: ActionDeps["remoteShell"]): ActionDeps {
  return { remoteShell, env: {}, clock: new FakeClock() };
}

async function run(thrown: Error) {
  const errors: LogFields[] = [];
  const runAction = createActionRegistry(deps(() => Promise.reject(thrown)));
  const outcome = await runAction(job, sync, {
    runId: "r",
    jobId: "job",
    target: job.targets[0]!,
    scope: { kind: "full" as const, reason: "" },
    attempt: 1,
    signal: new AbortController().signal,
    dryRun: false,
    log: { ...silentLogger, error: (fields) => errors.push(fields) },
    holds: [],
    onSpawned: () => {},
    onStarted: () => {},
    onOutput: () => {},
    onProgress: () => {},
  });
  return { outcome, errors };
}

describe("the action registry", () => {
  it("makes a failed action of a bug, logs its stack, and does not say that nothing was started", async () => {
    const { outcome, errors } = await run(new TypeError("a bug"));
    const report = { argv: [], exitCode: null, signal: null, stats: null, output: "" };
    expect(outcome).toEqual({ kind: "failed", cause: "exception", message: "a bug", retryable: false, report });
    expect(errors).toEqual([{ error: "a bug", stack: expect.stringContaining("TypeError: a bug") }]);
  });

  it("makes a failed action of what the operator has to mend, without a stack", async () => {
    const { outcome, errors } = await run(new OperatorError("no such host"));
    expect(outcome).toMatchObject({ kind: "failed", cause: "exception", message: "no such host", report: null });
    expect(errors).toEqual([]);
  });
});

describe("the preview of an action", () => {
  const remote = deps(async (at) => ({ shell: ["ssh", "-p", String(at.port)] }));

  it("is the exact argv of a sync", async () => {
    const argv = await previewAction(job, sync, { dryRun: true, deps: remote });
    expect(argv.slice(0, 5)).toEqual(["rsync", "-e", "ssh -p 2222", "--archive", "-v"]);
    expect(argv).toContain("--dry-run");
    expect(argv.slice(-2)).toEqual(["/home/", "me@backup:/backup"]);
  });

  it("turns a pull around", async () => {
    const argv = await previewAction({ ...job, direction: "pull" }, sync, { dryRun: false, deps: remote });
    expect(argv.slice(-2)).toEqual(["me@backup:/home/", "/backup"]);
  });

  it("is the exact argv of a command", async () => {
    const command = { kind: "command", id: "c", argv: ["a | b"], shell: true, cwd: undefined } as const;
    await expect(previewAction(job, command, { dryRun: true, deps: remote })).resolves.toEqual([
      "/bin/sh",
      "-c",
      "a | b",
    ]);
  });
});

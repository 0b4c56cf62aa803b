import type { RunTool } from "../../base/tool-runner.ts";
import type { Clock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { readLockScript } from "../../lock/transport/lock-script.ts";
import type { ScriptResult } from "../../lock/transport/script-transport.ts";
import type { Connection } from "../../ssh/connection.ts";
import { createRemoteShell } from "../../ssh/remote-shell.ts";
import { NoShell } from "../../ssh/shell-channel.ts";
import { collectAnswers, frameOperation, inSubshell, newNonce } from "../../ssh/shell-protocol.ts";
import { readDoctorScript } from "./doctor-facts.ts";

/** Has commands carried out that may call the functions of lock.sh and doctor.sh. */
export type RunOnHost = (command: string) => Promise<ScriptResult>;

async function readScripts(): Promise<string> {
  return (await readLockScript()) + (await readDoctorScript());
}

export async function shellHere(deps: { runTool: RunTool; operationTimeoutMs: number }): Promise<RunOnHost> {
  const scripts = await readScripts();
  return async (command) => {
    const nonce = newNonce();
    const input = scripts + frameOperation(nonce, inSubshell(command));
    const result = await deps.runTool(["/bin/sh", "-s"], { timeoutMs: deps.operationTimeoutMs, input });
    const lines = collectAnswers(result.stdout, nonce);
    if (lines !== undefined) return { kind: "answered", lines };
    return { kind: "unknown", detail: `the shell gave no answer: ${result.stderr.trim()}`, mayHaveRun: true };
  };
}

/**
 * A shell on another host, or why the account has none. Rejects when the connection is of no use.
 */
export async function shellThere(
  connection: Connection,
  deps: { clock: Clock; operationTimeoutMs: number },
): Promise<{ readonly kind: "shell"; readonly run: RunOnHost } | { readonly kind: "none"; readonly detail: string }> {
  const { clock, operationTimeoutMs } = deps;
  try {
    const prologue = await readScripts();
    const channel = await connection.openShell(operationTimeoutMs);
    const onBroken = () => undefined;
    const shell = createRemoteShell({ channel, prologue, operationTimeoutMs, clock, log: silentLogger, onBroken });
    const first = await shell.run("true");
    if (first.kind === "no-shell") return { kind: "none", detail: first.detail };
    if (first.kind === "unknown") throw new Error(first.detail);
    const run: RunOnHost = async (command) => {
      const answer = await shell.run(inSubshell(command));
      return answer.kind === "answered" ? answer : { kind: "unknown", detail: answer.detail, mayHaveRun: true };
    };
    return { kind: "shell", run };
  } catch (error) {
    if (error instanceof NoShell) return { kind: "none", detail: error.message };
    throw error;
  }
}

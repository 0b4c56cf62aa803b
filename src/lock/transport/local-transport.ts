import { describeError } from "../../base/errors.ts";
import type { RunTool } from "../../base/tool-runner.ts";
import { collectAnswers, frameOperation, newNonce } from "../../ssh/shell-protocol.ts";
import { readLockScript } from "./lock-script.ts";
import type { LockTransport, Unknown } from "./lock-transport.ts";
import { createScriptTransport } from "./script-transport.ts";

/** Locks on this host: the same shell functions, in a `/bin/sh` of its own for each trip. */
export function createLocalTransport(deps: {
  runTool: RunTool;
  operationTimeoutMs: number;
  /** Replaced in tests. */
  readScript?: typeof readLockScript;
}): LockTransport {
  const { readScript = readLockScript } = deps;
  let script: Promise<string> | undefined;
  /** What could not be read, for want of a file descriptor perhaps, is read again the next time. */
  const read = async (): Promise<string | Unknown> => {
    const reading = (script ??= readScript());
    try {
      return await reading;
    } catch (error) {
      if (script === reading) script = undefined;
      const detail = `the functions for locks cannot be read: ${describeError(error)}`;
      return { kind: "unknown", detail, mayHaveRun: false };
    }
  };
  let turn: Promise<unknown> = Promise.resolve();
  return createScriptTransport({
    host: null,
    run: async (command, signal) => {
      const functions = await read();
      if (typeof functions !== "string") return functions;
      const before = turn;
      const mine = (async () => {
        await before;
        if (signal.aborted)
          return { kind: "unknown", detail: "stopped before it was tried", mayHaveRun: false } as const;
        const nonce = newNonce();
        const result = await deps.runTool(["/bin/sh", "-s"], {
          timeoutMs: deps.operationTimeoutMs,
          input: functions + frameOperation(nonce, command),
        });
        const lines = collectAnswers(result.stdout, nonce);
        if (lines !== undefined) return { kind: "answered", lines } as const;
        const cause = result.exitCode === null ? "did not end in time" : `ended with ${result.exitCode}`;
        return { kind: "unknown", detail: `the shell ${cause}: ${result.stderr.trim()}`, mayHaveRun: true } as const;
      })();
      turn = mine;
      return mine;
    },
  });
}

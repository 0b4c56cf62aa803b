import { join } from "node:path";
import { expect, it } from "vitest";
import { createLocalTransport } from "../../src/lock/transport/local-transport.ts";
import { readLockScript } from "../../src/lock/transport/lock-script.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;

it("answers when its functions cannot be read, and reads them again the next time", async () => {
  const readings = [() => Promise.reject(new Error("EMFILE: too many open files")), readLockScript];
  const readScript = () => readings.shift()?.() ?? Promise.reject(new Error("read once more than needed"));
  const transport = createLocalTransport({ runTool, operationTimeoutMs: 20_000, readScript });
  const path = join(await makeTempDir(), "a.lock");
  expect(await transport.check([path], never)).toEqual([
    {
      kind: "unknown",
      detail: "the functions for locks cannot be read: EMFILE: too many open files",
      mayHaveRun: false,
    },
  ]);
  expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
  expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
});

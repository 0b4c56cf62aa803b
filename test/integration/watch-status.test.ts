import { createServer } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { watchStatus } from "../../src/cli/watch-status.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { TextSink } from "../support/text-sink.ts";

it("ends at once when it is told to, also while a director does not answer", async () => {
  const directory = await makeTempDir();
  const server = createServer(() => undefined).listen(join(directory, "rsyncdirector-test.sock"));
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const asked = once(server, "request");
  // The limit for an answer never comes.
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const stop = new AbortController();
  const stdout = new TextSink({ isTTY: true });
  const watching = watchStatus(
    { ...{ rsyncId: "test", pidFileDir: directory, file: "/none.yaml" }, config: undefined, problem: undefined },
    { env: {}, stdout, stderr: new TextSink(), finish: () => undefined },
    { clock: systemClock, signal: stop.signal },
  );
  await asked;
  stop.abort();
  await watching;
  expect(stdout.text).toMatch(/\u001b\[\?25h\u001b\[\?1049l$/);
});

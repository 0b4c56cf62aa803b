import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { WebListen } from "../../src/config/web-listen.ts";
import { startWebListeners, type WebListenersOptions } from "../../src/web/start-web-listeners.ts";
import { createFakeControl } from "./fake-control.ts";
import { createMemoryLog } from "./memory-log.ts";
import { makeTempDir } from "./temp-dir.ts";

/** What a test says of the listeners; `web` on loopback, with the kernel's choice of a port. */
export type ListenersDraft = Partial<Omit<WebListenersOptions, "web">> & { web?: Partial<WebListen> };

/** The listeners before a director in memory; closed when the test ends. */
export async function startTestListeners({ web, ...draft }: ListenersDraft = {}) {
  const control = createFakeControl();
  const log = createMemoryLog();
  const socketPath = draft.socketPath ?? join(await makeTempDir(), "rsyncdirector-test.sock");
  const listeners = await startWebListeners({
    control,
    version: "0.1.0",
    clock: systemClock,
    log,
    ...draft,
    socketPath,
    web: web && buildWeb(web),
  });
  onTestFinished(() => listeners.close());
  return { control, log, listeners, socket: { socketPath }, network: { port: listeners.address?.port ?? 0 } };
}

function buildWeb(web: Partial<WebListen>): WebListen {
  return {
    addr: "127.0.0.1",
    port: 0,
    tokenFile: undefined,
    webConfigFile: undefined,
    allowedHosts: [],
    allowActions: undefined,
    ...web,
  };
}

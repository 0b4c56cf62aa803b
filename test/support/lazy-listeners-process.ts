import { Module } from "node:module";
import { request } from "node:http";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { startWebListeners } from "../../src/web/start-web-listeners.ts";
import { createFakeControl } from "./fake-control.ts";

// Opens a control socket at the path it is given, and writes which packages were loaded before and after it was asked.
const [, , socketPath = ""] = process.argv;

function packages(): string[] {
  const { _cache: loaded } = Module as unknown as { _cache: Record<string, unknown> };
  const names = Object.keys(loaded).flatMap((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(names)].toSorted();
}

function statusOf(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, path, agent: false }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const listeners = await startWebListeners({
  control: createFakeControl(),
  socketPath,
  web: {
    addr: "127.0.0.1",
    port: 0,
    tokenFile: undefined,
    webConfigFile: undefined,
    allowedHosts: [],
    allowActions: undefined,
  },
  version: "0.1.0",
  clock: systemClock,
  log: silentLogger,
});
const before = packages();
const refused = await fetch(`http://127.0.0.1:${listeners.address?.port}/`, { method: "POST" });
const afterRefusal = packages();
const statuses = await Promise.all(["/api/v1/status", "/api/v1/jobs", "/api/v1/none"].map(statusOf));
console.log(JSON.stringify({ before, refused: refused.status, afterRefusal, statuses, after: packages() }));
await listeners.close();

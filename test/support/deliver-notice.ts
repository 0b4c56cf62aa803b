import { writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { resolveChannel } from "../../src/config/resolve-notify.ts";
import type { RawChannel } from "../../src/config/schema-notify.ts";
import type { Delivery } from "../../src/notify/channel-sender.ts";
import { createSender } from "../../src/notify/create-sender.ts";
import type { Notice } from "../../src/notify/notice.ts";
import { tryDelivery } from "../../src/notify/try-delivery.ts";
import { buildNotice } from "./build-notice.ts";
import { makeTempDir } from "./temp-dir.ts";

/** Delivers one notice over the channel, as the daemon would, once. */
export async function deliver(
  raw: RawChannel,
  notice: Notice = buildNotice(),
  stop = new AbortController(),
): Promise<Delivery> {
  const channel = resolveChannel(raw, "/root");
  const deps = { clock: systemClock, log: silentLogger, env: process.env, version: "1.2.3", hostname: "nas01" };
  const send = createSender(channel, deps);
  return tryDelivery(notice, { send, timeoutMs: channel.timeoutMs, clock: systemClock, signal: stop.signal });
}

export async function secretFile(text: string): Promise<string> {
  const file = join(await makeTempDir(), "secret");
  await writeFile(file, `${text}\nsecond line\n`, { mode: 0o600 });
  return file;
}

/** A port that takes connections and never says a word. */
export async function startSilentServer(): Promise<number> {
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

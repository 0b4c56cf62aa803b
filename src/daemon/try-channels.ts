import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import { silentLogger } from "../base/logger.ts";
import type { Channel } from "../config/resolved-notify.ts";
import { composeTest } from "../notify/compose-notice.ts";
import { createSender, describeDestination } from "../notify/create-sender.ts";
import { tryDelivery } from "../notify/try-delivery.ts";

/** What became of one test message. */
export interface ChannelTry {
  readonly id: string;
  readonly type: string;
  /** Without what gives access to it. */
  readonly destination: string;
  readonly isDelivered: boolean;
  readonly detail: string;
}

/** Sends a test message over each of the channels, all at once and each once. */
export function tryChannels(
  channels: readonly Channel[],
  about: { rsyncId: string; env: Readonly<Record<string, string | undefined>>; version: string },
): Promise<ChannelTry[]> {
  const { rsyncId, env, version } = about;
  const host = hostname();
  const deps = { clock: systemClock, log: silentLogger, env, version, hostname: host };
  const { signal } = new AbortController();
  return Promise.all(
    channels.map(async (channel) => {
      const { id, type, timeoutMs } = channel;
      const notice = composeTest(id, { rsyncId, hostname: host }, systemClock.now());
      const send = createSender(channel, deps);
      const { kind, detail } = await tryDelivery(notice, { send, timeoutMs, clock: systemClock, signal });
      return { id, type, destination: describeDestination(channel), isDelivered: kind === "delivered", detail };
    }),
  );
}

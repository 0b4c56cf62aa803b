import { isDeepStrictEqual } from "node:util";
import type { Emitter } from "../base/emitter.ts";
import type { Channel } from "../config/resolved-notify.ts";
import type { DirectorEvents } from "../model/events.ts";
import type { SenderDeps } from "./channel-sender.ts";
import { composeNotice, type Origin } from "./compose-notice.ts";
import { createSender } from "./create-sender.ts";
import { createDeliveryQueue, type DeliveryQueue } from "./delivery-queue.ts";
import type { FreshnessReport, Happening } from "./happening.ts";
import { type Memory, subjectOf } from "./memory.ts";
import type { ChannelState, NotifyState } from "./notify-file.ts";
import { observeJobs } from "./observe-jobs.ts";
import { judge, type News, remind, type Rules } from "./rules.ts";
import { openStateKeeper } from "./state-keeper.ts";

/** What a configuration says of notifications. */
export interface NotifySettings {
  readonly channels: readonly Channel[];
  /** Ids of the jobs, each with those of its targets; empty for a job with one target. */
  readonly jobs: ReadonlyMap<string, readonly string[]>;
}

export interface NotifierOptions extends SenderDeps, NotifySettings {
  readonly rsyncId: string;
  /** Where what was told is kept; it and its directory are made when missing. */
  readonly file: string;
  readonly events: Emitter<DirectorEvents>;
}

/** Tells people and other programs what becomes of the jobs. */
export interface Notifier {
  /** How fresh the copies are; as often as it is known, also when nothing has changed. */
  freshness(reports: readonly Omit<FreshnessReport, "kind">[]): void;
  /** Another configuration is in use. What waits in channels that stay is kept, also where they have changed. */
  reconfigure(settings: NotifySettings): void;
  /** Hears nothing more; what cannot be delivered within the time is kept for the next start. */
  close(graceMs: number): Promise<void>;
}

interface OpenChannel {
  /** It takes nothing more; what the newest configuration says of it is opened when it has ended. */
  isClosing: boolean;
  readonly channel: Channel;
  readonly rules: Rules;
  memory: Memory;
  readonly queue: DeliveryQueue;
}

const reminderCheckMs = 60_000;

/** Opens the channels, delivers what an earlier life could not, and listens. It never fails. */
export async function openNotifier(options: NotifierOptions): Promise<Notifier> {
  const { rsyncId, hostname, file, events, clock, log } = options;
  const origin: Origin = { rsyncId, hostname };
  const open = new Map<string, OpenChannel>();
  /** Of the newest configuration. */
  let settings: NotifySettings = options;
  const current = (): NotifyState =>
    new Map([...open].map(([id, { memory, queue }]) => [id, { memory, queue: queue.state() }]));
  const keeper = await openStateKeeper(file, { current, log });
  /** Channels that are closed to be opened again, or for good. */
  const closing = new Set<Promise<void>>();

  function openChannel(channel: Channel, before: ChannelState | undefined): void {
    const { id, timeoutMs, retry } = channel;
    const tellWaiting = (waiting: number) => events.emit("notify:waiting", { channel: id, waiting });
    const isMachine = channel.type === "healthchecks";
    const queue = createDeliveryQueue({
      ...{ channel: id, send: createSender(channel, options), timeoutMs, retry, isUnlimited: isMachine, clock, log },
      before: before?.queue,
      onChange: () => {
        tellWaiting(queue.state().waiting.length);
        keeper.changed();
      },
      onOutcome: (outcome) => events.emit("notify:outcome", { channel: id, outcome, at: clock.now() }),
    });
    const memory = ofKnownJobs(before?.memory ?? {}, settings.jobs);
    open.set(id, { isClosing: false, channel, rules: { ...channel, tellsEachTime: isMachine }, memory, queue });
    tellWaiting(queue.state().waiting.length);
  }

  function closeChannel(id: string, known: OpenChannel): void {
    known.isClosing = true;
    const { queue } = known;
    const closed = queue.close(0).then(() => {
      const now = settings.channels.find((channel) => channel.id === id);
      if (open.get(id) === known) {
        open.delete(id);
        if (now !== undefined) openChannel(now, { memory: known.memory, queue: queue.state() });
      }
      armReminders();
      const { length } = queue.state().waiting;
      if (!open.has(id)) {
        events.emit("notify:waiting", { channel: id, waiting: 0 });
        if (length > 0) log.error({ channel: id, waiting: length }, "channel is gone with what waited");
      }
      closing.delete(closed);
    });
    closing.add(closed);
  }

  function apply(channel: OpenChannel, { memory, news }: { memory: Memory; news: readonly News[] }): void {
    const isChanged = memory !== channel.memory;
    channel.memory = memory;
    if (news.length > 0) channel.queue.add(news.map((each) => composeNotice(each, origin)));
    else if (isChanged) keeper.changed();
  }
  const tell = (happening: Happening) => {
    for (const channel of open.values()) apply(channel, judge(channel.rules, channel.memory, happening));
  };

  for (const channel of options.channels) openChannel(channel, keeper.before.get(channel.id));
  const stopObserving = observeJobs(events, tell);
  let cancelReminders: () => void = () => undefined;
  const armReminders = () => {
    cancelReminders();
    if (![...open.values()].some(({ rules }) => rules.repeatEveryMs !== undefined)) return;
    cancelReminders = clock.setTimer(reminderCheckMs, () => {
      for (const channel of open.values()) apply(channel, remind(channel.rules, channel.memory, clock.now()));
      armReminders();
    });
  };
  armReminders();

  return {
    freshness: (reports) => {
      for (const report of reports) tell({ kind: "freshness", ...report });
    },
    reconfigure: (next) => {
      settings = next;
      const { channels, jobs } = next;
      const wanted = new Map(channels.map((channel) => [channel.id, channel]));
      for (const [id, known] of [...open]) {
        const channel = wanted.get(id);
        known.memory = ofKnownJobs(known.memory, jobs);
        if (known.isClosing || isDeepStrictEqual(channel, known.channel)) continue;
        if (channel === undefined) open.delete(id);
        closeChannel(id, known);
      }
      for (const channel of channels) if (!open.has(channel.id)) openChannel(channel, undefined);
      armReminders();
      keeper.changed();
    },
    close: async (graceMs) => {
      stopObserving();
      await Promise.all(closing);
      cancelReminders();
      await Promise.all([...open.values()].map(({ queue }) => queue.close(graceMs)));
      for (const [channel, { queue }] of open) {
        const { length } = queue.state().waiting;
        if (length > 0) log.warn({ channel, waiting: length }, "notifications are kept for the next start");
      }
      if (open.size > 0) keeper.changed();
      await keeper.close();
    },
  };
}

/** What is remembered of jobs and targets that are not in the configuration any more is forgotten. */
function ofKnownJobs(memory: Memory, jobs: NotifySettings["jobs"]): Memory {
  const isKnown = (key: string) => {
    const { jobId, targetId } = subjectOf(key);
    return targetId === "" ? jobs.has(jobId) : jobs.get(jobId)?.includes(targetId) === true;
  };
  return Object.fromEntries(Object.entries(memory).filter(([key]) => isKnown(key)));
}

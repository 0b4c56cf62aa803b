import type { Emitter } from "../base/emitter.ts";
import type { DirectorEvents, NotifyOutcome } from "../model/events.ts";
import type { MetricSet } from "./metrics.ts";

const outcomes: readonly NotifyOutcome[] = ["delivered", "retried", "failed", "dropped"];

/** Feeds the metrics of the channels, each from when it is opened; returns what ends that. */
export function recordNotifications({ events, set }: { events: Emitter<DirectorEvents>; set: MetricSet }): () => void {
  const unsubscribe = [
    events.on("notify:waiting", ({ channel, waiting }) => {
      set.notificationsWaiting.set({ channel }, waiting);
      for (const outcome of outcomes) set.notifications.inc({ channel, outcome }, 0);
    }),
    events.on("notify:outcome", ({ channel, outcome }) => set.notifications.inc({ channel, outcome })),
  ];
  return () => unsubscribe.forEach((end) => end());
}

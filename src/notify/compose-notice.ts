import { formatDuration } from "../base/duration.ts";
import { redactText } from "../base/redact.ts";
import type { NoticeEvent } from "../config/notice-words.ts";
import type { Notice } from "./notice.ts";
import type { News } from "./rules.ts";

/** Where the director runs. */
export interface Origin {
  readonly rsyncId: string;
  readonly hostname: string;
}

const longestMessage = 2000;
/** Of the log its end is kept. */
const longestLog = 4000;
/** So many notices are named in a summary. */
const mostNamed = 10;

/** Puts news into words. */
export function composeNotice(news: News, { rsyncId, hostname }: Origin): Notice {
  const { event, jobId, targetId, runId, exitCode, durationMs, at, history } = news;
  const subject = targetId === "" ? jobId : `${jobId} to ${targetId}`;
  return {
    ...{ event, jobId, targetId, runId, exitCode, durationMs, at },
    title: `${rsyncId}: ${subject} ${predicateOf(event, history !== null)}`,
    message: clean([news.message, historyOf(news)].filter((part) => part !== "").join("\n"), longestMessage),
    log: clean(news.log.slice(-longestLog), longestLog),
    isBad: badEvents.includes(event),
    instance: rsyncId,
    host: hostname,
  };
}

const badEvents: readonly NoticeEvent[] = ["failure", "stale", "skipped"];

function predicateOf(event: NoticeEvent, isKnown: boolean): string {
  switch (event) {
    case "start":
      return "started";
    case "success":
      return "succeeded";
    case "warning":
      return isKnown ? "still ends with a warning" : "ended with a warning";
    case "failure":
      return isKnown ? "still fails" : "failed";
    case "recovery":
      return "is well again";
    case "stale":
      return isKnown ? "is still not fresh" : "is not fresh";
    case "skipped":
      return isKnown ? "is skipped again and again" : "was skipped";
    case "blocked":
      return "waits for a lock";
    case "aborted":
      return "was stopped";
  }
}

function historyOf({ event, history, at }: News): string {
  if (history === null) return "";
  const since = `${formatDuration(Math.max(0, at - history.since))}, since ${new Date(history.since).toISOString()}`;
  const often = history.times === 1 ? "" : `, seen ${history.times} times`;
  return event === "recovery" ? `It was not for ${since}${often}.` : `For ${since}${often}.`;
}

/** One notice for several; `dropped`: further ones that were not kept. */
export function summarize(notices: readonly Notice[], { dropped }: { dropped: number }): Notice {
  const last = notices.at(-1);
  if (last === undefined) throw new Error("there is nothing to summarize");
  const named = notices.slice(0, mostNamed).map(({ title, message }) => {
    const [line = ""] = message.split("\n", 1);
    return line === "" ? title : `${title}: ${line.slice(0, 200)}`;
  });
  const more = notices.length - named.length + dropped;
  const count = notices.length + dropped;
  return {
    ...last,
    event: "summary",
    title: `${last.instance}: ${count} messages at once`,
    message: [...named, ...(more === 0 ? [] : [`and ${more} more`])].join("\n"),
    ...{ log: "", jobId: "", targetId: "", runId: null, exitCode: null, durationMs: null },
    isBad: notices.some(({ isBad }) => isBad),
  };
}

/** To see whether a channel works. */
export function composeTest(channelId: string, { rsyncId, hostname }: Origin, at: number): Notice {
  return {
    event: "test",
    title: `${rsyncId}: a test of the channel ${channelId}`,
    message: "Somebody tries whether messages arrive here. Nothing is wrong.",
    ...{ log: "", jobId: "test", targetId: "", runId: null, exitCode: null, durationMs: null, at },
    isBad: false,
    instance: rsyncId,
    host: hostname,
  };
}

/** Messages of programs may hold anything; escape sequences and secrets are not passed on. */
function clean(text: string, longest: number): string {
  const plain = redactText(text).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, " ");
  return plain.length > longest ? `${plain.slice(0, longest - 1)}…` : plain;
}

import { formatDuration } from "../base/duration.ts";
import type { NoticeEvent, NoticeField } from "../config/notice-words.ts";

/** What is told. Texts are redacted and have no control characters but line feeds. */
export interface Notice {
  /** `summary`: several at once, because there were too many; `test`: somebody tries the channel. */
  readonly event: NoticeEvent | "summary" | "test";
  readonly title: string;
  readonly message: string;
  /** The end of what the program said that failed; empty: nothing. */
  readonly log: string;
  /** Empty: no job, or several. */
  readonly jobId: string;
  /** Empty: the job as a whole. */
  readonly targetId: string;
  readonly runId: string | null;
  /** Of the action that failed, where it is known. */
  readonly exitCode: number | null;
  readonly durationMs: number | null;
  /** Wall-clock milliseconds. */
  readonly at: number;
  /** Whether somebody has to do something. */
  readonly isBad: boolean;
  readonly instance: string;
  readonly host: string;
}

/** A notice as the placeholders of templates have it. */
export function fieldsOf(notice: Notice): Readonly<Record<NoticeField, string>> {
  return {
    event: notice.event,
    title: notice.title,
    message: notice.message,
    log: notice.log,
    job: notice.jobId,
    target: notice.targetId,
    run: notice.runId ?? "",
    instance: notice.instance,
    host: notice.host,
    time: new Date(notice.at).toISOString(),
    duration: notice.durationMs === null ? "" : formatDuration(notice.durationMs),
  };
}

/** A notice for programs; what is not known is null. */
export function noticeAsJson(notice: Notice): Readonly<Record<string, unknown>> {
  const { durationMs, exitCode } = notice;
  return {
    ...fieldsOf(notice),
    job: notice.jobId === "" ? null : notice.jobId,
    target: notice.targetId === "" ? null : notice.targetId,
    run: notice.runId,
    duration: undefined,
    duration_seconds: durationMs === null ? null : durationMs / 1000,
    exit_code: exitCode,
  };
}

/** What a person reads below the title. */
export function textOf(notice: Notice): string {
  const facts = [
    ...(notice.runId === null ? [] : [`run ${notice.runId}`]),
    ...(notice.durationMs === null ? [] : [`after ${formatDuration(notice.durationMs)}`]),
    `on ${notice.host}`,
  ];
  const parts = [notice.message, notice.log, facts.join(", ")];
  return parts.filter((part) => part !== "").join("\n\n");
}

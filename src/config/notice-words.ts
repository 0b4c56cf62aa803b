/** What people can be told about; docs/notifications.md says when each of them happens. */
export const noticeEvents = [
  "start",
  "success",
  "warning",
  "failure",
  "recovery",
  "stale",
  "skipped",
  "blocked",
  "aborted",
] as const;

export type NoticeEvent = (typeof noticeEvents)[number];

/** When hooks can run. */
export const hookMoments = [
  "start",
  "success",
  "warning",
  "failure",
  "skipped",
  "blocked",
  "aborted",
  "finally",
] as const;

export type HookMoment = (typeof hookMoments)[number];

/** What a template can ask for. `secret.NAME` stands for a file of the channel besides. */
export const noticeFields = [
  "event",
  "title",
  "message",
  "log",
  "job",
  "target",
  "run",
  "instance",
  "host",
  "time",
  "duration",
] as const;

export type NoticeField = (typeof noticeFields)[number];

/** Whether a job is one of those that the patterns name; `*` is any text, `?` any character. */
export function namesJob(patterns: readonly string[] | undefined, jobId: string): boolean {
  return patterns === undefined || patterns.some((pattern) => patternOf(pattern).test(jobId));
}

function patternOf(pattern: string): RegExp {
  const source = pattern.replaceAll(/[.*?]/g, (character) => ({ ".": "\\.", "*": ".*" })[character] ?? ".");
  return new RegExp(`^${source}$`);
}

import type { Notice } from "../../src/notify/notice.ts";

/** A failure of the job `home`; a test names only what it is about. */
export function buildNotice(overrides: Partial<Notice> = {}): Notice {
  return {
    event: "failure",
    title: "nas: home failed",
    message: "copy: rsync ended with 23",
    log: "rsync error",
    jobId: "home",
    targetId: "",
    runId: "20261129-020000-abcdef",
    exitCode: 23,
    durationMs: 61_000,
    at: Date.UTC(2026, 10, 29, 2, 1, 1),
    isBad: true,
    instance: "nas",
    host: "nas01",
    ...overrides,
  };
}

/** Texts that no format likes. */
export const hostileNotice = buildNotice({
  message: 'it says "no"\nand \\ ünïcode\u20ac',
  title: "nas: home failed €",
});

import { createHash } from "node:crypto";
import { describeError } from "../base/errors.ts";
import { fillTemplate } from "../base/template.ts";
import type { HealthchecksChannel } from "../config/resolved-notify.ts";
import { failed, type Send, type SenderDeps } from "./channel-sender.ts";
import { sendHttp } from "./http-request.ts";
import { type Notice, textOf } from "./notice.ts";
import { readSecret } from "./read-secret.ts";

/**
 * Pings by the protocol of healthchecks.io (https://healthchecks.io/docs/http_api/): what the path ends with says
 * what happened, `rid` is the same for the start and the end of a run, the body is kept as a log.
 */
export function createHealthchecksSender(channel: HealthchecksChannel, { version }: SenderDeps): Send {
  return async (notice, signal) => {
    try {
      const key = channel.keyFile === undefined ? "" : await readSecret(channel.keyFile);
      const filled = fillTemplate(channel.url, (name) => (name === "key" ? key : encodeURIComponent(slugOf(notice))));
      const url = new URL(filled);
      url.pathname = `${url.pathname.replace(/\/+$/, "")}${signOf(notice, channel)}`;
      const rid = uuidOf(notice);
      if (rid !== undefined) url.searchParams.set("rid", rid);
      if (channel.create) url.searchParams.set("create", "1");
      const headers = { "user-agent": `rsyncdirector/${version}`, "content-type": "text/plain; charset=utf-8" };
      const body = `${notice.title}\n\n${textOf(notice)}\n`;
      const secrets = key === "" ? [] : [key];
      return await sendHttp({ url: url.href, method: "POST", headers, body, secrets }, signal);
    } catch (error) {
      return failed(describeError(error));
    }
  };
}

/** What the path ends with. What does not say how a job ended is only written to the log of the check. */
function signOf({ event, exitCode }: Notice, { exitStatus }: HealthchecksChannel): string {
  switch (event) {
    case "start":
      return "/start";
    case "success":
    case "warning":
    case "recovery":
      return "";
    case "failure":
      return exitStatus && exitCode !== null && exitCode > 0 && exitCode < 256 ? `/${exitCode}` : "/fail";
    case "stale":
      return "/fail";
    case "skipped":
    case "blocked":
    case "aborted":
    case "summary":
    case "test":
      return "/log";
  }
}

/** A slug has lower-case letters, digits, dashes and underscores. */
function slugOf({ jobId }: Notice): string {
  return jobId.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "-");
}

/** A run id as the UUID that `rid` has to be: the same for all that is said of a job in one run. */
function uuidOf({ runId, jobId }: Notice): string | undefined {
  if (runId === null) return undefined;
  const digits = createHash("sha256").update(`${runId} ${jobId}`).digest("hex");
  // Version 8 (RFC 9562) is for values made in one's own way.
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

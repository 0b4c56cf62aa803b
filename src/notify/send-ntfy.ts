import { describeError } from "../base/errors.ts";
import type { NtfyChannel } from "../config/resolved-notify.ts";
import { failed, type Send, type SenderDeps } from "./channel-sender.ts";
import { sendHttp } from "./http-request.ts";
import { type Notice, textOf } from "./notice.ts";
import { readSecret } from "./read-secret.ts";

/** Names of ntfy's priorities, in order from 1 (https://docs.ntfy.sh/publish/#message-priority). */
const priorities = ["min", "low", "default", "high", "urgent"] as const;

/** ntfy cuts longer messages into attachments; its limit is 4096 bytes. */
const longestMessage = 3000;

/** A push message. It is published as JSON, in which titles may have any letters, as headers may not. */
export function createNtfySender(channel: NtfyChannel, { version }: SenderDeps): Send {
  return async (notice, signal) => {
    try {
      const token = channel.tokenFile === undefined ? undefined : await readSecret(channel.tokenFile);
      const priority = channel.priority ?? (notice.isBad ? "high" : "default");
      const body = JSON.stringify({
        topic: channel.topic,
        title: notice.title,
        message: shorten(textOf(notice)),
        priority: priorities.indexOf(priority) + 1,
        tags: [tagOf(notice), ...channel.tags],
      });
      const headers = {
        "user-agent": `rsyncdirector/${version}`,
        "content-type": "application/json",
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      const secrets = token === undefined ? [] : [token];
      return await sendHttp({ url: channel.url, method: "POST", headers, body, secrets }, signal);
    } catch (error) {
      return failed(describeError(error));
    }
  };
}

/** The name of an emoji, which is shown before the title. */
function tagOf({ event, isBad }: Notice): string {
  if (isBad) return "rotating_light";
  if (event === "recovery" || event === "success") return "white_check_mark";
  return event === "warning" || event === "aborted" ? "warning" : "information_source";
}

function shorten(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longestMessage) return text;
  return `${bytes
    .subarray(0, longestMessage)
    .toString("utf8")
    .replace(/\ufffd$/, "")}…`;
}

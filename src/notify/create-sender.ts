import { redactUrl } from "../base/redact.ts";
import type { Channel } from "../config/resolved-notify.ts";
import type { Send, SenderDeps } from "./channel-sender.ts";
import { createCommandSender } from "./send-command.ts";
import { createEmailSender } from "./send-email.ts";
import { createHealthchecksSender } from "./send-healthchecks.ts";
import { createNtfySender } from "./send-ntfy.ts";
import { createWebhookSender } from "./send-webhook.ts";

/** The way that a channel delivers. */
export function createSender(channel: Channel, deps: SenderDeps): Send {
  switch (channel.type) {
    case "webhook":
      return createWebhookSender(channel, deps);
    case "healthchecks":
      return createHealthchecksSender(channel, deps);
    case "ntfy":
      return createNtfySender(channel, deps);
    case "email":
      return createEmailSender(channel, deps);
    case "command":
      return createCommandSender(channel, deps);
  }
}

/** Where a channel leads, for people; without what gives access to it. */
export function describeDestination(channel: Channel): string {
  switch (channel.type) {
    case "webhook":
    case "healthchecks":
      return redactUrl(channel.url);
    case "ntfy":
      return `${redactUrl(channel.url)}, topic ${channel.topic}`;
    case "email":
      return `${channel.to.join(", ")} by ${channel.host}:${channel.port}`;
    case "command":
      return channel.argv[0] ?? "";
  }
}

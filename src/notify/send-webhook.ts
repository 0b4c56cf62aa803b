import { describeError } from "../base/errors.ts";
import { fillTemplate } from "../base/template.ts";
import type { NoticeField } from "../config/notice-words.ts";
import type { WebhookChannel } from "../config/resolved-notify.ts";
import { failed, type Send, type SenderDeps } from "./channel-sender.ts";
import { sendHttp } from "./http-request.ts";
import { fieldsOf, type Notice, noticeAsJson } from "./notice.ts";
import { readSecret } from "./read-secret.ts";

/** A request to any server, made of templates. */
export function createWebhookSender(channel: WebhookChannel, { version }: SenderDeps): Send {
  return async (notice, signal) => {
    try {
      const secrets = await readSecrets(channel.secrets);
      const message = fillMessage(channel, notice, secrets);
      const headers = { "user-agent": `rsyncdirector/${version}`, ...message.headers };
      return await sendHttp({ ...message, headers, secrets: Object.values(secrets) }, signal);
    } catch (error) {
      return failed(describeError(error));
    }
  };
}

async function readSecrets(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const read = Object.entries(files).map(async ([name, file]) => [name, await readSecret(file)] as const);
  return Object.fromEntries(await Promise.all(read));
}

/** The request with its placeholders filled in, each in the way that its place demands. */
function fillMessage(channel: WebhookChannel, notice: Notice, secrets: Readonly<Record<string, string>>) {
  const fields = fieldsOf(notice);
  const valueOf = (name: string) =>
    name.startsWith("secret.") ? (secrets[name.slice(7)] ?? "") : (fields[name as NoticeField] ?? "");
  const headers = Object.fromEntries(
    Object.entries(channel.headers).map(([name, value]) => [
      name.toLowerCase(),
      // Headers have one line, of Latin characters.
      fillTemplate(value, (field) => valueOf(field).replaceAll(/[^\u0020-\u007e]+/g, " ")),
    ]),
  );
  const type = headers["content-type"] ?? "application/json";
  const escape = escapeFor(type);
  const body =
    channel.body === undefined
      ? JSON.stringify(noticeAsJson(notice))
      : fillTemplate(channel.body, (name) => escape(valueOf(name)));
  return {
    url: fillTemplate(channel.url, (name) =>
      name.startsWith("secret.") ? valueOf(name) : encodeURIComponent(valueOf(name)),
    ),
    method: channel.method,
    headers: channel.method === "GET" ? headers : { ...headers, "content-type": type },
    body: channel.method === "GET" ? undefined : body,
  };
}

function escapeFor(type: string): (text: string) => string {
  if (/\bjson\b/i.test(type)) return (text) => JSON.stringify(text).slice(1, -1);
  if (/x-www-form-urlencoded/i.test(type)) return encodeURIComponent;
  return (text) => text;
}

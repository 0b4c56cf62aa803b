import Type, { type Static } from "typebox";
import {
  block,
  choice,
  flag,
  integer,
  oneOfBlocks,
  port,
  positiveDuration,
  text,
  textList,
  textOrList,
} from "./schema-parts.ts";

const { Optional } = Type;

const retryBlock = block("notification retry", "When a message could not be delivered.", {
  limit: Optional(integer(0, 100_000, { description: "Further tries after the first.", default: 100 })),
  delay: Optional(positiveDuration({ description: "Wait before the first further try.", default: 10 })),
  max_delay: Optional(
    positiveDuration({ description: "The wait doubles each time and grows no longer than this.", default: "15m" }),
  ),
});

const channelKeys = {
  id: Optional(
    text("id", {
      description: "Name of the channel, for logs, metrics and `notify test`; its type unless given.",
      examples: ["phone"],
    }),
  ),
  jobs: Optional(
    textOrList("job-pattern", {
      description: "Only about these jobs; `*` and `?` match parts of their ids. All jobs unless given.",
      examples: [["home", "photos-*"]],
    }),
  ),
  after_skips: Optional(
    integer(1, 1_000_000, {
      description: "Tell when a job was skipped so many times in a row; 1 where `on` has `skipped`, else never.",
      examples: [3],
    }),
  ),
  repeat_every: Optional(
    positiveDuration({
      description: "Tell again of what is still wrong, so often; not unless given.",
      examples: ["1d"],
    }),
  ),
  timeout: Optional(positiveDuration({ description: "Longest time for one try to deliver a message.", default: 30 })),
  retry: Optional(retryBlock),
};

const onKey = Optional(
  textOrList("notice-event", {
    description:
      "What to tell about: start, success, warning, failure, recovery, stale, skipped, blocked, aborted. Failure, recovery and stale unless given.",
    examples: [["failure", "recovery", "stale", "warning"]],
  }),
);

const webhook = block("webhook", "A request to any HTTP server.", {
  type: Type.Literal("webhook", { description: "Kind of the channel." }),
  url: text("url", {
    description: "Where to; `{{secret.NAME}}` and the other placeholders may stand in it.",
    examples: ["https://chat.example.org/hooks/{{secret.hook}}"],
  }),
  method: Optional(choice(["POST", "PUT", "PATCH", "GET"], { description: "Method of the request.", default: "POST" })),
  headers: Optional(
    Type.Unsafe<Record<string, string>>({
      type: "object",
      description: "Further headers; placeholders may stand in their values.",
      additionalProperties: text("line", { description: "Value of the header." }),
      examples: [{ Authorization: "Bearer {{secret.token}}" }],
    }),
  ),
  body: Optional(
    text("argument", {
      description:
        "Template of the body; what replaces `{{title}}` and the others is made fit for JSON unless a header says that it is no JSON. A JSON object with all fields unless given.",
      examples: ['{"text": "{{title}}: {{message}}"}'],
    }),
  ),
  secrets: Optional(
    Type.Unsafe<Record<string, string>>({
      type: "object",
      description: "Files whose first line is a secret, by the names that the templates use.",
      additionalProperties: text("file-path", { description: "The file." }),
      examples: [{ token: "/etc/rsyncdirector/chat-token" }],
    }),
  ),
  on: onKey,
  ...channelKeys,
});

const healthchecks = block("healthchecks", "Pings of healthchecks.io, or of a server of one's own of that kind.", {
  type: Type.Literal("healthchecks", { description: "Kind of the channel." }),
  url: Optional(
    text("url", {
      description:
        "Ping address of the check; `{{key}}` stands for the content of `key_file`, `{{job}}` for the id of the job.",
      default: "https://hc-ping.com/{{key}}",
      examples: ["https://hc-ping.com/{{key}}/{{job}}"],
    }),
  ),
  key_file: Optional(
    text("file-path", {
      description: "File whose first line is the UUID of the check or the ping key of the project.",
      examples: ["/etc/rsyncdirector/ping-key"],
    }),
  ),
  create: Optional(
    flag({ description: "Let the server make a check that it does not know (`?create=1`).", default: false }),
  ),
  exit_status: Optional(
    flag({
      description: "Tell of a failure by the exit code of the action, where there is one, instead of `/fail`.",
      default: false,
    }),
  ),
  on: Optional(
    textOrList("ping-event", {
      description:
        "What to ping for, every time: start, success, warning, failure, stale, skipped, blocked, aborted. Start, success, warning, failure and aborted unless given.",
    }),
  ),
  ...channelKeys,
});

const ntfy = block("ntfy", "A push message by ntfy.sh, or a server of one's own.", {
  type: Type.Literal("ntfy", { description: "Kind of the channel." }),
  url: Optional(text("url", { description: "The server.", default: "https://ntfy.sh" })),
  topic: text("topic", { description: "The topic.", examples: ["backups-of-ann"] }),
  priority: Optional(
    choice(["min", "low", "default", "high", "urgent"], {
      description: "Urgency of the messages; `high` for failures and what is stale, else `default`, unless given.",
    }),
  ),
  tags: Optional(
    textList("line", {
      description: "Further tags; those that are names of emoji are shown as such.",
      examples: [["nas"]],
    }),
  ),
  token_file: Optional(text("file-path", { description: "File whose first line is an access token of the server." })),
  on: onKey,
  ...channelKeys,
});

const email = block("e-mail", "A mail by SMTP.", {
  type: Type.Literal("email", { description: "Kind of the channel." }),
  host: text("host", { description: "The mail server.", examples: ["smtp.example.org"] }),
  port: Optional(
    port({ description: "Its port; 587, or 465 with `tls: implicit`, or 25 with `tls: none`, unless given." }),
  ),
  tls: Optional(
    choice(["starttls", "implicit", "none"], {
      description:
        "`starttls`: encrypt after the greeting, or do not send; `implicit`: from the start; `none`: not at all.",
      default: "starttls",
    }),
  ),
  ca_file: Optional(text("file-path", { description: "Certificates (PEM) to trust instead of those of the system." })),
  user: Optional(text("line", { description: "Account to log in to.", examples: ["backup@example.org"] })),
  password_file: Optional(text("file-path", { description: "File whose first line is its password." })),
  from: Optional(
    text("mailbox", {
      description: "The sender; `rsyncdirector@` and the name of this host unless given.",
      examples: ["Backups <backup@example.org>"],
    }),
  ),
  to: textOrList("mailbox", { description: "Who gets it.", examples: ["ann@example.org"] }),
  on: onKey,
  ...channelKeys,
});

const command = block("command", "A program of one's own.", {
  type: Type.Literal("command", { description: "Kind of the channel." }),
  command: text("command", {
    description:
      "The program, with or without arguments; the event is in its environment, and on its standard input as JSON.",
    examples: ["/usr/local/bin/tell-the-team"],
  }),
  args: Optional(textList("argument", { description: "Further arguments, one element each." })),
  shell: Optional(flag({ description: "Let `/bin/sh` run `command`.", default: false })),
  on: onKey,
  ...channelKeys,
});

export type RawChannel =
  | Static<typeof webhook>
  | Static<typeof healthchecks>
  | Static<typeof ntfy>
  | Static<typeof email>
  | Static<typeof command>;

export const notifyList = Type.Array(
  oneOfBlocks<RawChannel>("type", "channel", "Somebody who is told.", [webhook, healthchecks, ntfy, email, command]),
  { description: "Who is told when a job fails, recovers, or its copies are not fresh." },
);

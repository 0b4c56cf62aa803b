import { parseDuration } from "../base/duration.ts";
import { splitWords } from "../base/shell-words.ts";
import type { NoticeEvent } from "./notice-words.ts";
import { expandHome } from "./paths.ts";
import type { Channel, ChannelRules, EmailChannel, Hook } from "./resolved-notify.ts";
import type { RawHook } from "./schema-hooks.ts";
import type { RawChannel } from "./schema-notify.ts";

const usualEvents: readonly NoticeEvent[] = ["failure", "recovery", "stale"];
const usualPings: readonly NoticeEvent[] = ["start", "success", "warning", "failure", "aborted"];
const usualPorts = { starttls: 587, implicit: 465, none: 25 } as const satisfies Record<EmailChannel["tls"], number>;

/** A channel that has been checked. `home` is what `~` stands for. */
export function resolveChannel(raw: RawChannel, home: string): Channel {
  const rules = resolveRules(raw);
  const file = (path: string | undefined) => (path === undefined ? undefined : expandHome(path, home));
  switch (raw.type) {
    case "webhook": {
      const secrets = Object.entries(raw.secrets ?? {}).map(([name, path]) => [name, expandHome(path, home)]);
      return {
        ...rules,
        ...{ type: raw.type, url: raw.url, method: raw.method ?? "POST", headers: raw.headers ?? {}, body: raw.body },
        secrets: Object.fromEntries(secrets) as Record<string, string>,
      };
    }
    case "healthchecks":
      return {
        ...rules,
        ...{ type: raw.type, url: raw.url ?? "https://hc-ping.com/{{key}}", keyFile: file(raw.key_file) },
        ...{ create: raw.create ?? false, exitStatus: raw.exit_status ?? false },
      };
    case "ntfy":
      return {
        ...rules,
        ...{ type: raw.type, url: raw.url ?? "https://ntfy.sh", topic: raw.topic, priority: raw.priority },
        ...{ tags: raw.tags ?? [], tokenFile: file(raw.token_file) },
      };
    case "email": {
      const tls = raw.tls ?? "starttls";
      return {
        ...rules,
        ...{
          type: raw.type,
          host: raw.host,
          port: Number(raw.port ?? usualPorts[tls]),
          tls,
          caFile: file(raw.ca_file),
        },
        ...{ user: raw.user, passwordFile: file(raw.password_file), from: raw.from, to: [raw.to].flat() },
      };
    }
    case "command":
      return { ...rules, type: raw.type, argv: argvOf(raw.command, raw.shell === true, raw.args) };
  }
}

function resolveRules(raw: RawChannel): ChannelRules {
  const { retry = {} } = raw;
  const on: readonly NoticeEvent[] =
    raw.on === undefined
      ? raw.type === "healthchecks"
        ? usualPings
        : usualEvents
      : [...new Set([raw.on].flat() as NoticeEvent[])];
  return {
    id: raw.id ?? raw.type,
    on,
    jobs: raw.jobs === undefined ? undefined : [raw.jobs].flat(),
    afterSkips: raw.after_skips ?? (on.includes("skipped") ? 1 : undefined),
    repeatEveryMs: milliseconds(raw.repeat_every),
    timeoutMs: milliseconds(raw.timeout) ?? 30_000,
    retry: {
      limit: retry.limit ?? 100,
      delayMs: milliseconds(retry.delay) ?? 10_000,
      maxDelayMs: milliseconds(retry.max_delay) ?? 900_000,
    },
  };
}

/** Hooks that have been checked. */
export function resolveHook(raw: RawHook): Hook {
  const shell = raw.shell === true;
  return {
    on: [...new Set([raw.on].flat())] as Hook["on"],
    run: [raw.run].flat().map((command) => argvOf(command, shell)),
    shell,
    onlyIfChanged: raw.when === "changed",
    timeoutMs: milliseconds(raw.timeout) ?? 600_000,
  };
}

function argvOf(command: string, shell: boolean, args: readonly string[] = []): readonly string[] {
  if (shell) return ["/bin/sh", "-c", command];
  const split = splitWords(command);
  return [...("words" in split ? split.words : []), ...args];
}

function milliseconds(value: number | string | undefined): number | undefined {
  return value === undefined ? undefined : parseDuration(value);
}

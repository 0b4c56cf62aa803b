import { quoteWord } from "../base/shell-words.ts";
import { exactDuration } from "./describe-parts.ts";
import type { Channel, Hook } from "./resolved-notify.ts";
import type { Tree } from "./tree.ts";

export function describeChannel(channel: Channel): Tree {
  const { id, type, on, jobs, afterSkips, repeatEveryMs, timeoutMs, retry } = channel;
  return {
    type,
    id,
    ...describeWay(channel),
    on,
    jobs,
    after_skips: afterSkips,
    repeat_every: exactDuration(repeatEveryMs),
    timeout: exactDuration(timeoutMs),
    retry: { limit: retry.limit, delay: exactDuration(retry.delayMs), max_delay: exactDuration(retry.maxDelayMs) },
  };
}

function describeWay(channel: Channel): Tree {
  switch (channel.type) {
    case "webhook": {
      const { url, method, headers, body, secrets } = channel;
      return { url, method, headers, body, secrets };
    }
    case "healthchecks": {
      const { url, keyFile, create, exitStatus } = channel;
      return { url, key_file: keyFile, create, exit_status: exitStatus };
    }
    case "ntfy": {
      const { url, topic, priority, tags, tokenFile } = channel;
      return { url, topic, priority, tags, token_file: tokenFile };
    }
    case "email": {
      const { host, port, tls, caFile, user, passwordFile, from, to } = channel;
      return { host, port, tls, ca_file: caFile, user, password_file: passwordFile, from, to };
    }
    case "command":
      return describeCommand(channel.argv);
  }
}

function describeCommand(argv: readonly string[]): Tree {
  const [program = "", option, script] = argv;
  if (program === "/bin/sh" && option === "-c" && argv.length === 3) return { command: script, shell: true };
  return { command: quoteWord(program), args: argv.slice(1) };
}

export function describeHook(hook: Hook): Tree {
  const { on, run, shell, onlyIfChanged, timeoutMs } = hook;
  return {
    on,
    run: run.map((argv) => (shell ? argv[2] : argv.map(quoteWord).join(" "))),
    shell,
    when: onlyIfChanged ? "changed" : undefined,
    timeout: exactDuration(timeoutMs),
  };
}

import type { CommandChannel } from "../config/resolved-notify.ts";
import { redactText } from "../base/redact.ts";
import { safeWord } from "../base/untrusted-text.ts";
import { baseEnvironment } from "../process/child-environment.ts";
import { createOutputTail } from "../process/output-tail.ts";
import { runProcess } from "../process/run-process.ts";
import { type Delivery, failed, type Send, type SenderDeps } from "./channel-sender.ts";
import { describeAbort } from "./http-request.ts";
import { fieldsOf, type Notice, noticeAsJson } from "./notice.ts";

const grace = { leaderMs: 1000, groupMs: 1000 };

/** A program of the operator's: the notice is in its environment, and on its standard input as JSON. */
export function createCommandSender({ argv }: CommandChannel, { clock, log, env }: SenderDeps): Send {
  const [file = "", ...args] = argv;
  return async (notice, signal): Promise<Delivery> => {
    const tail = createOutputTail();
    const result = await runProcess(
      {
        ...{ file, args, env: { ...baseEnvironment(env), ...variablesOf(notice) } },
        stdin: { text: `${JSON.stringify(noticeAsJson(notice))}\n` },
      },
      { signal, clock, log, grace, drainMs: 1000, onLine: (_, line) => tail.addLine(line) },
    );
    if (result.stoppedBy !== null) return failed(describeAbort(signal));
    const lastLine = tail.text().trimEnd().split("\n").at(-1) ?? "";
    const said = lastLine === "" ? "" : `: ${safeWord(redactText(lastLine), 200)}`;
    switch (result.kind) {
      case "not-started":
        return failed(`it could not be started: ${result.error.message}`);
      case "signalled":
        return failed(`it was ended by ${result.signal}${said}`);
      case "exited":
        if (result.code === 0) return { kind: "delivered", detail: "it ended with 0" };
        return failed(`it ended with ${result.code}${said}`);
    }
  };
}

/**
 * Not the names that the children of a run have: those are looked for when the director was killed, and what tells
 * somebody has nothing to do with the locks of the run.
 */
function variablesOf(notice: Notice): Record<string, string> {
  const fields = Object.entries(fieldsOf(notice)).map(([name, value]) => [
    `RSYNCDIRECTOR_NOTICE_${name.toUpperCase()}`,
    value,
  ]);
  return Object.fromEntries(fields) as Record<string, string>;
}

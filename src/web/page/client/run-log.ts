import { openStream } from "./connection.ts";
import { eventLine, isRepeated, type LogLine } from "./event-line.ts";

/** As many lines as the director itself keeps; more would only make the page slow. */
const keptLines = 1000;

const events = [
  ...["run:queued", "run:started", "run:finished", "job:started", "job:blocked", "job:unblocked", "job:finished"],
  ...["lock:held", "lock:lost", "action:started", "action:output", "action:finished", "action:retrying"],
];

/** Writes a run's events into its log as they come, the last thousand; stops when the run has ended. */
export function followRun(log: HTMLElement, runId: string): void {
  let waiting: HTMLElement[] = [];
  let fresh = true;
  let last: LogLine | undefined;
  const flush = () => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    if (fresh && waiting.length > 0) {
      // The director tells from its memory what is on the page already.
      log.replaceChildren();
      fresh = false;
    }
    log.append(...waiting);
    waiting = [];
    while (log.childElementCount > keptLines) log.firstElementChild?.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  };
  const stop = openStream(`/api/v1/runs/${encodeURIComponent(runId)}/events`, {
    events,
    onOpen: () => {
      fresh = true;
      last = undefined;
    },
    onEvent: (name, data) => {
      const line = eventLine(name, JSON.parse(data) as Record<string, unknown>);
      if (line !== undefined && !isRepeated(line, last)) {
        last = line;
        const element = document.createElement("p");
        element.className = line.kind;
        element.textContent = line.text;
        if (waiting.length === 0) requestAnimationFrame(flush);
        waiting.push(element);
      }
      if (name === "run:finished") stop();
    },
  });
  log.scrollTop = log.scrollHeight;
}

/** So long after the last word of the director the page asks by itself: a dead network does not say that it is dead. */
const silenceMs = 15_000;

export interface Connection {
  /** The director has answered: what is shown is of now. */
  alive(at: number): void;
  /** It could not be reached. */
  lost(): void;
}

/** The line above the page: since when it is as it is. A dead page must never look alive. */
export function createConnectionView(line: HTMLElement, loadedAt: number): Connection {
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  let seenAt = loadedAt;
  const show = (state: "live" | "lost", text: string) => {
    document.documentElement.dataset["connection"] = state;
    if (line.textContent !== text) line.textContent = text;
  };
  return {
    alive: (at) => {
      seenAt = at;
      // The time is not told: it changes each second, and a screen reader would read out every change.
      show("live", "Live");
      line.title = `last word ${clock.format(at)}`;
    },
    lost: () => show("lost", `Not connected: what you see is of ${clock.format(seenAt)}. Trying again…`),
  };
}

/**
 * Calls `look` when the stream says that the status has changed, at most one at a time, and after a silence. A hidden
 * page does not look; it does when it is shown again.
 */
export function followStatus(url: string, look: () => Promise<boolean>, lost: () => void): void {
  let looking = false;
  let again = false;
  let timer: number | undefined;
  const run = async () => {
    if (document.hidden) return;
    again = looking;
    if (looking) return;
    looking = true;
    if (!(await look())) lost();
    looking = false;
    arm();
    if (again) void run();
  };
  const arm = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void run(), silenceMs);
  };
  openStream(url, { onEvent: () => void run(), onLost: lost, events: ["status"] });
  document.addEventListener("visibilitychange", () => void run());
  arm();
}

const firstRetryMs = 1000;
const longestRetryMs = 30_000;

/**
 * Server-sent events that are asked for again whatever ends them: a browser alone gives up for good when it is
 * answered with an error, as by a director that is just starting. Returns what ends it.
 */
export function openStream(
  url: string,
  options: {
    events: readonly string[];
    onEvent: (name: string, data: string) => void;
    onOpen?: () => void;
    onLost?: () => void;
  },
): () => void {
  let source: EventSource | undefined;
  let delay = firstRetryMs;
  let timer: number | undefined;
  const open = () => {
    const stream = new EventSource(url);
    source = stream;
    stream.addEventListener("open", () => {
      delay = firstRetryMs;
      options.onOpen?.();
    });
    for (const name of options.events) {
      stream.addEventListener(name, (event) => options.onEvent(name, String((event as MessageEvent).data)));
    }
    stream.addEventListener("error", () => {
      stream.close();
      options.onLost?.();
      timer = setTimeout(open, delay);
      delay = Math.min(delay * 2, longestRetryMs);
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

import { coerceError } from "../base/errors.ts";

/** Where finished lines go. Nothing here throws, and nothing waits for a reader. */
export interface LogSink {
  write(line: string): void;
  /** Opens a file anew after somebody renamed it; nothing for other sinks. */
  reopen(): void;
  /** Resolves when what was written has left this process, or `withinMs` have passed. */
  flush(withinMs: number): Promise<void>;
}

/** The line that says how many lines are missing. */
export type LossNotice = (lost: number) => string;

/** What a reader that does not read may cost in memory. */
export const unreadLimit = 4 * 1024 * 1024;

interface OutputStream {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(text: string): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  once(event: "drain", listener: () => void): unknown;
}

/**
 * Standard output. Node writes to a pipe or socket without blocking and keeps in memory what the
 * reader has not taken; a thread that blocks in write(2), as a logging library's own writer would have
 * it, keeps the process from ever exiting once the reader has stopped reading.
 */
export function createStreamSink(stream: OutputStream, notice: LossNotice): LogSink {
  let dead = false;
  let lost = 0;
  // Without a listener a closed pipe (EPIPE) ends the whole program.
  stream.on("error", () => void (dead = true));
  return {
    write(line) {
      if (dead || stream.destroyed) return;
      if (stream.writableLength > unreadLimit) {
        lost += 1;
        return;
      }
      if (lost > 0) stream.write(notice(lost));
      lost = 0;
      stream.write(line);
    },
    reopen: () => undefined,
    flush: (withinMs) => {
      if (dead || stream.destroyed || stream.writableLength === 0) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        const done = () => {
          clearTimeout(timer);
          resolve();
        };
        stream.once("drain", done);
        stream.on("error", done);
      });
    },
  };
}

/** The part of `pino.destination` in use; it keeps a bounded many lines that did not fit on a full disk. */
interface FileStream {
  write(text: string): boolean;
  reopen(): void;
  flushSync(): void;
}

/** A log file. `countLost` is to be called for every line that the stream gave up. */
export function createFileSink(
  file: FileStream,
  options: { notice: LossNotice; onError: (error: Error) => void },
): LogSink & { countLost(): void } {
  let lost = 0;
  const guarded = (call: () => void) => {
    try {
      call();
    } catch (error) {
      options.onError(coerceError(error));
    }
  };
  return {
    countLost: () => void (lost += 1),
    write: (line) =>
      guarded(() => {
        const before = lost;
        lost = 0;
        if (before > 0) file.write(options.notice(before));
        // The notice itself was given up: still no space.
        if (lost > 0) lost = before;
        file.write(line);
      }),
    reopen: () => guarded(() => file.reopen()),
    flush: () => {
      guarded(() => file.flushSync());
      return Promise.resolve();
    },
  };
}

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { coerceError } from "../base/errors.ts";

/** Where finished lines go. Nothing here throws, and nothing waits for a reader. */
export interface LogSink {
  write(line: string): void;
  /** Opens a file anew after somebody renamed it; nothing for other sinks. */
  reopen(): void;
  /** Resolves when what was written has left this process, or `withinMs` have passed. */
  flush(withinMs: number): Promise<void>;
  /** Nothing is written after this; standard output stays open. */
  close(): void;
}

/** The line that says how many lines are missing. */
export type LossNotice = (lost: number) => string;

/** What a reader that does not read may cost in memory. */
const unreadLimit = 4 * 1024 * 1024;

interface OutputStream {
  readonly writableLength: number;
  readonly destroyed: boolean;
  write(text: string): boolean;
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  once(event: "drain", listener: () => void): unknown;
}

/**
 * Standard output. Node writes to a pipe or socket without blocking and keeps in memory what the
 * reader has not taken. pino's own writer has a thread wait in write(2), and that keeps the process
 * from ever ending once the reader has stopped reading.
 */
export function createStreamSink(stream: OutputStream, notice: LossNotice): LogSink {
  let dead = false;
  let lost = 0;
  // Without a listener a closed pipe (EPIPE) ends the whole program.
  const onError = () => void (dead = true);
  stream.on("error", onError);
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
    close: () => void stream.off("error", onError),
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

/**
 * A log file (0640). A line that does not fit on a full disk is lost and counted; one that was written
 * in part is completed before the next. pino's own destination does neither: once its buffer is full
 * it never writes again, and flushing it then does not return. Throws the system error when the file
 * cannot be opened.
 */
export function createFileSink(
  path: string,
  options: { notice: LossNotice; onError: (error: Error) => void },
): LogSink {
  let file = openLogFile(path);
  let torn: Buffer = Buffer.alloc(0);
  let lost = 0;
  let failing = false;

  const fail = (error: unknown) => {
    if (!failing) options.onError(coerceError(error));
    failing = true;
  };

  /** Writes all, or nothing and throws; what is left of a beginning goes to `torn`. */
  function put(bytes: Buffer): void {
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(file, bytes, done);
      torn = Buffer.alloc(0);
    } catch (error) {
      if (done === 0) throw error;
      torn = bytes.subarray(done);
      fail(error);
    }
  }

  return {
    write(line) {
      try {
        if (torn.length > 0) put(torn);
        if (torn.length > 0) {
          lost += 1;
          return;
        }
        put(Buffer.from(lost > 0 ? options.notice(lost) + line : line));
        lost = 0;
        failing = torn.length > 0;
      } catch (error) {
        lost += 1;
        fail(error);
      }
    },
    reopen() {
      try {
        const next = openLogFile(path);
        closeSync(file);
        file = next;
      } catch (error) {
        fail(error);
      }
    },
    flush: () => Promise.resolve(),
    close: () => closeSync(file),
  };
}

function openLogFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, "a", 0o640);
}

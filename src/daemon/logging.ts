import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { pino } from "pino";
import { OperatorError, systemErrorCode } from "../base/errors.ts";
import type { LogFields, Logger } from "../base/logger.ts";
import { redactFields } from "../base/redact.ts";
import type { LogOutput } from "../config/resolved.ts";
import { createFileSink, createStreamSink, type LogSink, type LossNotice } from "./log-sinks.ts";
import { formatLogfmt } from "./logfmt.ts";

/** A logger with its outputs. */
export interface RootLogger extends Logger {
  /** Opens the log files anew, after logrotate has moved them. */
  reopen(): void;
  /**
   * Opens the outputs of another configuration; what is returned puts them in the place of those in use. Throws an
   * `OperatorError` when one cannot be opened; nothing has changed then.
   */
  prepare(outputs: readonly LogOutput[]): { use(): void; discard(): void };
  /**
   * Waits a moment for what was written last. A reader that does not read can keep Node itself from
   * ending, so end the program with `process.exit()` after this.
   */
  close(): Promise<void>;
}

export interface LoggerOptions {
  /** Fields of every line. */
  fields?: LogFields;
  /** Default: the process' own standard output. */
  stdout?: NodeJS.WriteStream & { readonly fd?: number };
  /** Default: whether `stdout` is a terminal; decides what `format: auto` means. */
  isTTY?: boolean;
}

type Format = "json" | "text" | "logfmt";

const flushLimitMs = 1000;

/**
 * Logs JSON lines, lines for people, or logfmt, to standard output and files. Throws an
 * `OperatorError` when a file cannot be opened; once it works, neither a closed pipe nor a full disk
 * reaches the caller.
 */
export function createLogger(outputs: readonly LogOutput[], options: LoggerOptions = {}): RootLogger {
  const { fields = {}, stdout = process.stdout, isTTY = stdout.isTTY } = options;
  surviveErrorsOf(process.stderr);
  let current = openOutputs(outputs, { stdout, isTTY });
  const root = pino(
    {
      // What nobody reads is dropped before it comes here: the outputs, and so the lowest level, may change.
      level: "debug",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    fanOut((line, level) => current.write(line, level)),
  );
  return {
    ...adapt(root.child(redactFields(fields)), (level) => levelValue(level) >= current.lowest),
    reopen: () => current.sinks.forEach((sink) => sink.reopen()),
    prepare: (wanted) => {
      const next = openOutputs(wanted, { stdout, isTTY });
      return {
        use: () => {
          const before = current;
          current = next;
          before.sinks.forEach((sink) => sink.close());
        },
        discard: () => next.sinks.forEach((sink) => sink.close()),
      };
    },
    close: async () => void (await Promise.all(current.sinks.map((sink) => sink.flush(flushLimitMs)))),
  };
}

const survived = new WeakSet<NodeJS.WriteStream>();

/** Whatever else in the program writes there must not end it either. One listener does for all loggers. */
function surviveErrorsOf(stream: NodeJS.WriteStream): void {
  if (survived.has(stream)) return;
  survived.add(stream);
  stream.on("error", () => undefined);
}

type Level = "debug" | "info" | "warn" | "error";

function levelValue(level: Level): number {
  return pino.levels.values[level] ?? 0;
}

interface Outputs {
  readonly sinks: readonly LogSink[];
  /** Below this nobody reads anything. */
  readonly lowest: number;
  write(line: string, level: number): void;
}

function openOutputs(
  outputs: readonly LogOutput[],
  { stdout, isTTY }: { stdout: NodeJS.WriteStream & { readonly fd?: number }; isTTY: boolean },
): Outputs {
  const opened: { sink: LogSink; level: number; toText: (line: string) => string }[] = [];
  try {
    for (const output of outputs) {
      const format = output.format === "auto" ? (isTTY ? "text" : "json") : output.format;
      const toText = formatter(format, output.type === "stdout" && isTTY);
      const notice = (lost: number) => toText(lossNotice(lost));
      const sink = output.type === "file" ? openLogFile(output.path, notice) : openStandardOutput(stdout, notice);
      opened.push({ sink, level: levelValue(output.level), toText });
    }
  } catch (error) {
    for (const { sink } of opened) sink.close();
    throw error;
  }
  return {
    sinks: opened.map(({ sink }) => sink),
    lowest: Math.min(...opened.map(({ level }) => level)),
    write: (line, level) => {
      for (const output of opened) if (level >= output.level) output.sink.write(output.toText(line));
    },
  };
}

/** pino tells a destination with this mark the level of each line before it writes it (pino's `multistream` does so). */
function fanOut(write: (line: string, level: number) => void) {
  return {
    [pino.symbols.needsMetadataGsym]: true as const,
    lastLevel: 0,
    write(line: string) {
      write(line, this.lastLevel);
    },
  };
}

/** Fields are redacted here, once for every output, and not at all for a level that nobody reads. */
function adapt(target: pino.Logger, isRead: (level: Level) => boolean): Logger {
  const method = (level: Level) => (fields: LogFields, message: string) => {
    if (isRead(level)) target[level](redactFields(fields), message);
  };
  return {
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    child: (fields) => adapt(target.child(redactFields(fields)), isRead),
  };
}

function openLogFile(path: string, notice: LossNotice): LogSink {
  const onError = (error: Error) =>
    void process.stderr.write(`rsyncdirector: cannot write the log ${path}: ${error.message}; running on\n`);
  try {
    return createFileSink(path, { notice, onError });
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown error";
    throw new OperatorError(`logging: cannot open the log file ${path} (${code})`, { kind: "usage", cause: error });
  }
}

/** Node gives a redirected file up for good after its first error; a disk that was full has space again. */
function openStandardOutput(stdout: NodeJS.WriteStream & { readonly fd?: number }, notice: LossNotice): LogSink {
  const path = `/proc/self/fd/${stdout.fd ?? "none"}`;
  try {
    if (statSync(path).isFile()) return createFileSink(path, { notice, onError: () => undefined });
  } catch {
    // No file, or one that we may not open ourselves: the stream has to do.
  }
  return createStreamSink(stdout, notice);
}

function lossNotice(lost: number): string {
  return `${JSON.stringify({ level: "warn", time: new Date().toISOString(), lost, msg: "log lines were lost" })}\n`;
}

function formatter(format: Format, colorize: boolean): (line: string) => string {
  switch (format) {
    case "json":
      return (line) => line;
    case "logfmt":
      return (line) => formatLogfmt(JSON.parse(line) as Record<string, unknown>);
    case "text": {
      // Loaded only for people: it costs 10 ms of the start.
      const { prettyFactory } = createRequire(import.meta.url)("pino-pretty") as typeof import("pino-pretty");
      const pretty = prettyFactory({
        colorize,
        translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l",
        singleLine: true,
        errorLikeObjectKeys: [],
      });
      return (line) => pretty(escapeControls(line)) ?? "";
    }
  }
}

/** Text of strangers (file names, programs' output) must not move a terminal's cursor or forge a line. */
function escapeControls(line: string): string {
  const escaped = /\\(u00[01][0-9a-f]|u007f|u00[89][0-9a-f]|u[0-9a-f]{4}|.)|[\u007f-\u009f]/g;
  return line.replaceAll(escaped, (sequence, code: string | undefined) => {
    const harmless = code !== undefined && /^(?:["\\/nt]|u(?!00[01]|007f|00[89]))/.test(code);
    return harmless ? sequence : "\\ufffd";
  });
}

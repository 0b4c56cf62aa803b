import type { LogFields, Logger } from "../../src/base/logger.ts";

export interface LogLine {
  level: string;
  message: string;
  fields: LogFields;
}

/** A logger that keeps its lines for a test to look at. */
export function createMemoryLog(): Logger & { lines: LogLine[]; messages(level?: string): string[] } {
  const lines: LogLine[] = [];
  const method = (level: string) => (fields: LogFields, message: string) => void lines.push({ level, message, fields });
  const log: Logger = {
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    child: () => log,
  };
  const messages = (level?: string) =>
    lines.filter((line) => level === undefined || line.level === level).map(({ message }) => message);
  return { ...log, lines, messages };
}

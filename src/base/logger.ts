/** Fields of a log line. Values are data: never put a secret or a whole environment here. */
export type LogFields = Record<string, unknown>;

type LogMethod = (fields: LogFields, message: string) => void;

/**
 * The part of pino that the program uses. Messages are static ("job finished"); what varies goes into
 * the fields (`run`, `job`, `action`, `host`, …), so that lines can be searched and counted.
 */
export interface Logger {
  debug: LogMethod;
  info: LogMethod;
  warn: LogMethod;
  error: LogMethod;
  child(fields: LogFields): Logger;
}

const ignore: LogMethod = () => undefined;

/** Drops everything. */
export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};

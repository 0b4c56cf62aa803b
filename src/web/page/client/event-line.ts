/**
 * What a run's event says in its log. This file runs in the browser and in the director, so that a page looks the
 * same with and without JavaScript; it therefore imports nothing, and takes an event as it comes over the wire.
 */
export interface LogLine {
  readonly kind: "output" | "error" | "note" | "good" | "bad";
  readonly text: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** undefined: the log does not tell it. */
export function eventLine(name: string, fields: Fields): LogLine | undefined {
  const job = text(fields["jobId"]);
  const of = actionName(fields);
  switch (name) {
    case "run:queued":
      return note("queued");
    case "run:started":
      return note("started");
    case "run:finished":
      return { kind: fields["outcome"] === "ok" ? "good" : "bad", text: `run ended: ${text(fields["outcome"])}` };
    case "job:started":
      return note(`${job}: started`);
    case "job:blocked":
      return note(`${job}: waits for ${place(fields["place"])}, ${describeOwner(fields)}`);
    case "job:unblocked":
      return note(`${job}: waiting is over: ${text(fields["outcome"])}`);
    case "job:finished":
      return ending(job, fields["outcome"]);
    case "lock:held":
      return note(`${job}: holds ${place(fields["place"])}`);
    case "lock:lost":
      return { kind: "bad", text: `${job}: lost ${place(fields["place"])}: ${text(fields["detail"])}` };
    case "action:started":
      return note(`${job}: ${of}: ${words(fields["argv"])}`);
    case "action:finished":
      return ending(`${job}: ${of}`, fields["outcome"]);
    case "action:retrying":
      return note(`${job}: ${of}: is tried again: ${text(fields["message"])}`);
    case "action:output":
      return { kind: fields["stream"] === "stderr" ? "error" : "output", text: text(fields["line"]) };
    default:
      return undefined;
  }
}

/** A job that waits says so at each of its looks: to read it once is enough. What programs write is shown as they write it. */
export function isRepeated(line: LogLine, before: LogLine | undefined): boolean {
  return line.kind === "note" && line.text === before?.text;
}

function ending(of: string, outcome: unknown): LogLine {
  const { kind, message } = record(outcome);
  const why = typeof message === "string" && message !== "" ? `: ${message}` : "";
  return { kind: kind === "ok" ? "good" : "bad", text: `${of}: ${text(kind)}${why}` };
}

function describeOwner({ state, owner, detail }: Fields): string {
  return state === "unknown"
    ? `nobody can say whether it is held: ${text(detail)}`
    : `held by ${text(owner ?? detail)}`;
}

function actionName({ actionId, targetId, attempt }: Fields): string {
  const target = text(targetId);
  const name = target === "" ? text(actionId) : `${text(actionId)} to ${target}`;
  return typeof attempt === "number" && attempt > 1 ? `${name} (try ${attempt})` : name;
}

function place(value: unknown): string {
  const { host, path } = record(value);
  return typeof host === "string" ? `${host}:${text(path)}` : text(path);
}

function words(argv: unknown): string {
  return Array.isArray(argv) ? argv.map(text).join(" ") : "";
}

function note(line: string): LogLine {
  return { kind: "note", text: line };
}

function record(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

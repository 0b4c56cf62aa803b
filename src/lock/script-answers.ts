import type { AcquireAnswer, CheckAnswer, FoundLock, Refused, ReleaseAnswer, Unknown } from "./lock-transport.ts";
import { parseLockRecord } from "./lock-record.ts";

/** What the shell functions said about one claim or path. */
export interface ScriptAnswer {
  readonly status: string;
  readonly detail: string;
  /** The first two lines of the file, when there is one. */
  readonly first: string;
  readonly second: string;
}

/** Sorts answer lines (`<number> <STATUS> [detail]`) by the number of the claim or path they belong to. */
export function sortAnswers(lines: readonly string[]): Map<number, ScriptAnswer> {
  const answers = new Map<number, ScriptAnswer>();
  for (const line of lines) {
    const match = /^(\d+) ([A-Z]+) ?(.*)$/s.exec(line);
    if (match === null) continue;
    const [number, status, detail] = [Number(match[1]), match[2] as string, match[3] as string];
    const answer = answers.get(number);
    if (status === "FIRST" && answer !== undefined) answers.set(number, { ...answer, first: detail });
    else if (status === "SECOND" && answer !== undefined) answers.set(number, { ...answer, second: detail });
    else answers.set(number, { status, detail, first: "", second: "" });
  }
  return answers;
}

export function toAcquireAnswer(answer: ScriptAnswer | undefined): AcquireAnswer {
  switch (answer?.status) {
    case "ACQUIRED":
      return { kind: "acquired" };
    case "HELD":
      return { kind: "held", found: foundLock(answer) };
    case "BUSY":
      return { kind: "busy" };
    default:
      return toFailure(answer);
  }
}

export function toCheckAnswer(answer: ScriptAnswer | undefined): CheckAnswer {
  switch (answer?.status) {
    case "ABSENT":
      return { kind: "absent" };
    case "HELD":
      return { kind: "held", found: foundLock(answer) };
    default:
      return toFailure(answer);
  }
}

export function toReleaseAnswer(answer: ScriptAnswer | undefined): ReleaseAnswer {
  switch (answer?.status) {
    case "RELEASED":
      return { kind: "released" };
    case "ABSENT":
      return { kind: "absent" };
    case "LOST":
      return { kind: "lost", found: foundLock(answer) };
    case "BUSY":
      return { kind: "busy" };
    default:
      return toFailure(answer);
  }
}

function foundLock({ detail, first, second }: ScriptAnswer): FoundLock {
  const [mtime, now] = detail.split(" ").map(Number);
  return {
    owner: first,
    record: parseLockRecord(second) ?? null,
    ageSeconds: mtime === undefined || now === undefined ? Number.NaN : now - mtime,
  };
}

function toFailure(answer: ScriptAnswer | undefined): Refused | Unknown {
  if (answer?.status !== "ERR") {
    return { kind: "unknown", detail: "the shell gave no answer that makes sense", mayHaveRun: true };
  }
  const [code = "", ...words] = answer.detail.split(" ");
  const said = words.join(" ");
  if (code === "unproven") {
    return { kind: "unknown", detail: "the file came and went while it was looked at", mayHaveRun: false };
  }
  return { kind: "error", detail: explain(code, said) };
}

function explain(code: string, said: string): string {
  switch (code) {
    case "no-directory":
      return "its directory does not exist (a directory below /run is gone after a reboot unless tmpfiles.d makes it)";
    case "no-search":
      return "its directory may not be entered by this user";
    case "symlink":
      return "a symbolic link is in its place";
    case "directory":
      return "a directory is in its place";
    case "special":
      return "a device, socket or FIFO is in its place";
    case "no-flock":
      return "the host has no working flock(1)";
    case "guard":
      return `its guard file (.guard) cannot be used: ${said}`;
    case "write":
      return `it could not be written: ${said || "the content was cut short"}`;
    case "link":
      return `it could not be put in place: ${said}`;
    case "remove":
      return `it could not be removed: ${said}`;
    default:
      return `${code} ${said}`.trim();
  }
}

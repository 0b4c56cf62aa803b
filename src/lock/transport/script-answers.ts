import type {
  AcquireAnswer,
  BeatAnswer,
  BreakAnswer,
  CheckAnswer,
  FenceAnswer,
  FingerprintAnswer,
  FoundLock,
  HoldAnswer,
  ProbeAnswer,
  PromoteAnswer,
  Refused,
  ReleaseAnswer,
  Unknown,
} from "./lock-transport.ts";
import { parseLockRecord } from "../lock-record.ts";

/** What the shell functions said about one claim or path. */
export interface ScriptAnswer {
  readonly status: string;
  readonly detail: string;
  /** The first two lines of the file, when there is one. */
  readonly first: string;
  readonly second: string;
  /** SHA-256 of the whole file, when it was asked for. */
  readonly sum: string;
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
    else if (status === "SUM" && answer !== undefined) answers.set(number, { ...answer, sum: detail });
    else answers.set(number, { status, detail, first: "", second: "", sum: "" });
  }
  return answers;
}

export function toAcquireAnswer(answer: ScriptAnswer | undefined): AcquireAnswer {
  switch (answer?.status) {
    case "ACQUIRED":
      return { kind: "acquired", ...(answer.detail === "already" && { already: true }) };
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
  if (answer?.status === "INUSE") return { kind: "in-use" };
  return answer?.status === "RELEASED" ? { kind: "released" } : toOwnAnswer(answer);
}

export function toBeatAnswer(answer: ScriptAnswer | undefined): BeatAnswer {
  return answer?.status === "BEATEN" ? { kind: "beaten" } : toOwnAnswer(answer);
}

export function toPromoteAnswer(answer: ScriptAnswer | undefined): PromoteAnswer {
  return answer?.status === "PROMOTED" ? { kind: "promoted" } : toOwnAnswer(answer);
}

/** What every operation on an own lock may answer instead of what it is there for. */
function toOwnAnswer(answer: ScriptAnswer | undefined): Exclude<ReleaseAnswer, { kind: "released" | "in-use" }> {
  switch (answer?.status) {
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

export function toBreakAnswer(answer: ScriptAnswer | undefined): BreakAnswer {
  switch (answer?.status) {
    case "BROKEN":
      return { kind: "broken" };
    case "ABSENT":
      return { kind: "absent" };
    case "CHANGED":
      return { kind: "changed", found: foundLock(answer) };
    case "INUSE":
      return { kind: "in-use" };
    case "BUSY":
      return { kind: "busy" };
    default:
      return toFailure(answer);
  }
}

export function toFingerprintAnswer(answer: ScriptAnswer | undefined): FingerprintAnswer {
  if (answer?.status === "ABSENT") return { kind: "absent" };
  if (answer?.status === "HELD" && /^[0-9a-f]{64}$/.test(answer.sum)) {
    return { kind: "fingerprint", sha256: answer.sum, found: foundLock(answer) };
  }
  return toFailure(answer);
}

export function toProbeAnswer(answer: ScriptAnswer | undefined): ProbeAnswer {
  const match =
    answer?.status === "PROBED" &&
    /^(yes|no) (yes|no) (yes|no|elsewhere) (\d+) ([0-7]+)(?:,(\d+))? (\d+) (\d+) ?(.*)$/.exec(answer.detail);
  if (!match) return toFailure(answer);
  const [exclusive, hardLinks, flock] = match.slice(1, 4).map((word) => word === "yes") as [boolean, boolean, boolean];
  return {
    kind: "probed",
    mode: "full",
    exclusive,
    hardLinks,
    flock,
    ...(match[3] === "elsewhere" && { flockElsewhere: true }),
    fileSystem: match[9] ?? "",
    uid: Number(match[4]),
    permissions: Number.parseInt(match[5] ?? "", 8),
    ...(match[6] !== undefined && { linkUid: Number(match[6]) }),
    accountUid: Number(match[7]),
    nowSeconds: Number(match[8]),
  };
}

export function toHoldAnswer(answer: ScriptAnswer | undefined): HoldAnswer {
  switch (answer?.status) {
    case "FREE":
    case "INUSE":
      return { kind: answer.status === "FREE" ? "free" : "in-use", ...(answer.detail === "ro" && { readOnly: true }) };
    default: {
      const failure = toFailure(answer);
      const noDirectory = failure.kind === "error" && answer?.detail === "no-directory";
      return noDirectory ? { ...failure, noDirectory } : failure;
    }
  }
}

export function toFenceAnswer(answer: ScriptAnswer | undefined): FenceAnswer {
  switch (answer?.status) {
    case "FENCED":
      return { kind: "fenced" };
    case "INUSE":
      return { kind: "in-use" };
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
    mtime: mtime ?? Number.NaN,
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
    case "hold":
      return `it cannot be opened: ${said}`;
    case "write":
      return `it could not be written: ${said || "the content was cut short"}`;
    case "fence":
      return "it contains something else than dead tokens, and is left as it is";
    case "link":
      return `it could not be put in place: ${said}`;
    case "length":
      return "its content is not as long as it should be";
    case "token":
      return "a lock without a token is not one of ours and is not broken like one";
    case "touch":
      return `it could not be touched: ${said}`;
    case "break":
      return `it could not be moved aside: ${said}`;
    case "remove":
      return `it could not be removed: ${said}`;
    default:
      return `${code} ${said}`.trim();
  }
}

/**
 * How far a job is that holds a lock, for people who wait: written beside the lock at its signs of life
 * (docs/locking.md). Nothing is decided by it.
 */
export interface LockStatus {
  /** Of the lock that it belongs to; a status with another token means nothing. */
  readonly token: string;
  readonly job: string;
  readonly action: string;
  /** When the action began and when this was written: RFC 3339, by the owner's clock. */
  readonly started: string;
  readonly at: string;
  readonly percent: number | null;
  readonly bytes: number | null;
  /** Bytes per second. */
  readonly rate: number | null;
  /** When the action will probably end, RFC 3339. */
  readonly eta: string | null;
}

/** How far a job is; undefined: nothing is known. */
export type ProgressOf = (of: {
  readonly runId: string;
  readonly jobId: string;
}) => Omit<LockStatus, "token"> | undefined;

/** The file of a lock's status. */
export function statusPath(lock: string): string {
  return `${lock}.status`;
}

/** Longer ones are not written. */
export const longestStatus = 1024;

/** One line without its newline; undefined when it would be too long. */
export function formatStatus(status: LockStatus): string | undefined {
  const line = JSON.stringify(status);
  return Buffer.byteLength(line) < longestStatus ? line : undefined;
}

/** Undefined: it is no status, or that of another lock. */
export function parseStatus(line: string, token: string): LockStatus | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Partial<Record<keyof LockStatus, unknown>>;
  if (fields.token !== token) return undefined;
  const [job, action, started, at] = [fields.job, fields.action, fields.started, fields.at];
  if (typeof job !== "string" || typeof action !== "string") return undefined;
  if (typeof started !== "string" || typeof at !== "string") return undefined;
  const number = (field: unknown) => (typeof field === "number" ? field : null);
  const eta = typeof fields.eta === "string" ? fields.eta : null;
  const figures = { percent: number(fields.percent), bytes: number(fields.bytes), rate: number(fields.rate) };
  return { token, job, action, started, at, ...figures, eta };
}

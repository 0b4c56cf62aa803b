import type { OutputStream } from "../process/process-contract.ts";

/**
 * `warning`: done, but files vanished meanwhile. `partial`: something is missing at the destination.
 * `retry`: a fault that may pass. `fatal`: it will happen again until somebody changes something.
 */
export type ExitClass = "ok" | "warning" | "partial" | "fatal" | "retry";

export interface ExitMeaning {
  readonly class: ExitClass;
  readonly meaning: string;
}

/** rsync's exit codes (rsync(1), EXIT VALUES; errcode.h), and what they mean for the next try. */
const meanings: Readonly<Record<number, readonly [ExitClass, string]>> = {
  0: ["ok", "success"],
  1: ["fatal", "syntax or usage error"],
  2: ["fatal", "the two rsyncs speak different protocols"],
  3: ["fatal", "a source or destination cannot be opened"],
  4: ["fatal", "one side does not support what was asked"],
  5: ["fatal", "the rsync daemon refused the connection"],
  6: ["fatal", "the rsync daemon cannot write its log"],
  10: ["retry", "network error"],
  11: ["retry", "file error: disk full, or a directory of the destination path is missing"],
  12: ["retry", "the connection broke, or the other side does not run rsync"],
  13: ["fatal", "diagnostics could not be written"],
  14: ["retry", "a process or pipe could not be made, or the remote shell is missing"],
  15: ["fatal", "a process of rsync died"],
  16: ["fatal", "a process of rsync crashed"],
  19: ["retry", "somebody else stopped rsync (SIGUSR1)"],
  20: ["retry", "somebody else stopped rsync with a signal"],
  21: ["fatal", "rsync lost track of its own processes"],
  22: ["fatal", "out of memory"],
  23: ["partial", "some files or attributes were not transferred"],
  24: ["warning", "files vanished from the source while it was read"],
  25: ["partial", "max_delete was reached, the rest was not deleted"],
  30: ["retry", "nothing moved for as long as --timeout says"],
  35: ["retry", "the rsync daemon did not answer in time"],
  124: ["fatal", "the remote shell failed"],
  125: ["fatal", "the remote shell was killed"],
  126: ["fatal", "the remote command could not be run"],
  127: ["fatal", "the remote command was not found"],
  255: ["retry", "ssh failed"],
};

/** Codes by which rsync says that a signal reached it, which it catches to tidy up. */
export function meansSignalled(code: number): boolean {
  return code === 19 || code === 20;
}

export function meaningOf(code: number): ExitMeaning {
  const [exitClass, meaning] = meanings[code] ?? ["fatal", "a code that rsync does not document"];
  return { class: exitClass, meaning };
}

/** By these codes rsync reports that the remote shell or the remote rsync did not come up. */
const connecting = [12, 14, 126, 127, 255];

/** What is written when a fault has a known cause, and, where it could be a mere file name, the codes it needs. */
const causes: readonly (readonly [pattern: RegExp, codes: readonly number[] | undefined, message: string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    connecting,
    "the host key has changed: the host is new, or somebody stands between",
  ],
  [/Host key verification failed|No \S+ host key is known for/, connecting, "the host key is not known, or not right"],
  [
    /Permission denied \([^)]*(?:publickey|password|keyboard|gssapi|hostbased)/,
    connecting,
    "ssh login was refused: the key is wrong, or not authorised there",
  ],
  [/Too many authentication failures/, connecting, "ssh login was refused after too many keys: name the right one"],
  [/rsync: (?:command )?not found|rsync: No such file/, connecting, "rsync is not installed on the other host"],
  [
    // What rsync makes of --modify-window=-1 for the other side (options.c).
    /-@-1: unknown option/,
    undefined,
    "rsync on the other host is older than 3.1.3 and cannot compare times to the nanosecond, as a job that watches does: " +
      "update it, or set rsync: {modify_window: 0}",
  ],
  [
    /refusing to follow a symlink owned by an untrusted user/,
    undefined,
    "rsync 3.5 and later follow no symbolic link of another user in a path they are given: " +
      "give the real path, or let root or the user that runs rsync own the link",
  ],
];

/** Notes while output streams by what explains a failure. */
export interface FailureReader {
  addLine(stream: OutputStream, line: string): void;
  /** A cause that stays until somebody acts: another try is useless, or harmful where sshd bans for it. */
  lastingCause(exitCode: number): string | undefined;
  /** rsync's or ssh's first complaint. */
  firstError(): string | undefined;
}

export function createFailureReader(): FailureReader {
  const seen = new Set<number>();
  let firstError: string | undefined;
  return {
    addLine: (stream, line) => {
      if (stream !== "stderr" || line.trim() === "") return;
      for (const [index, [pattern]] of causes.entries()) if (pattern.test(line)) seen.add(index);
      const isSummary = /^rsync error: |^(?:rsync: |ssh: )?warning: |^RDHOLD /i.test(line);
      // A master that did not let ssh in: it connects by itself then, and only what comes of that matters.
      const isDetour = /^mux_?client|^Control socket connect/.test(line);
      if (!isSummary && !isDetour) firstError ??= line.slice(0, 500);
    },
    lastingCause: (exitCode) =>
      causes.find(([, codes], index) => seen.has(index) && (codes?.includes(exitCode) ?? true))?.[2],
    firstError: () => firstError,
  };
}

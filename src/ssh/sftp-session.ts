import type { Client, SFTPWrapper, Stats } from "ssh2";
import type { Clock } from "../base/clock.ts";

/** What a server tells about a file; times in seconds. */
export type SftpAttributes = Stats;

/** What the server said, or that it never said anything: then nobody knows whether it was done. */
export type SftpAnswer<T> =
  | { readonly kind: "ok"; readonly value: T }
  /** Status codes of the SFTP draft, version 3: 2 no such file, 3 no permission, 4 any other failure. */
  | { readonly kind: "failed"; readonly code: number; readonly message: string }
  /** The server does not offer this extension; nothing was sent. */
  | { readonly kind: "unsupported" }
  | { readonly kind: "unknown"; readonly detail: string };

export const sftpStatus = { noSuchFile: 2, noPermission: 3, failure: 4 } as const;

/** One SFTP session. Every request is answered in bounded time; nothing rejects. */
export interface SftpSession {
  readonly closed: boolean;
  /**
   * Makes one request; `call` hands its callback to ssh2, whose methods throw at once when the server lacks
   * the extension. An unanswered request ends the whole session.
   */
  request<T>(call: (sftp: SFTPWrapper, done: SftpCallback<T>) => void): Promise<SftpAnswer<T>>;
}

export type SftpCallback<T> = (error: Error | null | undefined, value: T) => void;

/** The account was entered, and there is no sftp to be had there. */
export class NoSftp extends Error {
  override readonly name = "NoSftp";
}

/** The subsystem, and not the channel, was turned down, ended at once, or was something else that prints. */
function isNoSftp(error: Error & { level?: unknown }): boolean {
  const ended = /^(?:Unable to start subsystem|Received exit code|Received unexpected)/.test(error.message);
  return ended || error.level === "sftp-protocol";
}

/** Opens a session. Rejects when that fails or takes longer than `timeoutMs`, which is also each request's limit. */
export function openSftpSession(client: Client, timeoutMs: number, clock: Clock): Promise<SftpSession> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      cancelTimer();
      reject(error);
    };
    const cancelTimer = clock.setTimer(timeoutMs, () => fail(new Error("no sftp session was given in time")));
    client.once("close", () => fail(new Error("the connection was closed")));
    try {
      client.sftp((error, sftp) => {
        if (error !== undefined) return fail(isNoSftp(error) ? new NoSftp(error.message) : error);
        cancelTimer();
        resolve(wrapSession(client, sftp, { timeoutMs, clock }));
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

function wrapSession(
  client: Client,
  sftp: SFTPWrapper,
  { timeoutMs, clock }: { timeoutMs: number; clock: Clock },
): SftpSession {
  let endedBy: string | undefined;
  const waiting = new Set<(detail: string) => void>();
  const end = (detail: string) => {
    if (endedBy !== undefined) return;
    endedBy = detail;
    // ssh2 calls nobody back once the connection has gone.
    for (const giveUp of waiting) giveUp(detail);
    waiting.clear();
    sftp.end();
  };
  client.once("close", () => end("the connection was lost"));
  sftp.on("error", (error: Error) => end(error.message));
  sftp.once("close", () => end("the sftp session was closed"));
  sftp.once("end", () => end("the sftp session was closed"));
  return {
    get closed() {
      return endedBy !== undefined;
    },
    request: <T>(call: (sftp: SFTPWrapper, done: SftpCallback<T>) => void) =>
      new Promise<SftpAnswer<T>>((resolve) => {
        if (endedBy !== undefined) return resolve({ kind: "unknown", detail: endedBy });
        const giveUp = (detail: string) => finish({ kind: "unknown", detail });
        const finish = (answer: SftpAnswer<T>) => {
          cancelTimer();
          waiting.delete(giveUp);
          resolve(answer);
        };
        const cancelTimer = clock.setTimer(timeoutMs, () => end(`no answer within ${timeoutMs / 1000} s`));
        waiting.add(giveUp);
        try {
          call(sftp, (error, value) => finish(error ? toFailure(error) : { kind: "ok", value }));
        } catch (error) {
          finish(isMissingExtension(error) ? { kind: "unsupported" } : toFailure(error as Error));
        }
      }),
  };
}

/** Without a status of the server an error is ssh2's own word for a session that broke off. */
function toFailure(error: Error & { code?: unknown }): SftpAnswer<never> {
  if (typeof error.code === "number") return { kind: "failed", code: error.code, message: error.message };
  return { kind: "unknown", detail: error.message };
}

function isMissingExtension(error: unknown): boolean {
  return error instanceof Error && /does not support this extended request/.test(error.message);
}

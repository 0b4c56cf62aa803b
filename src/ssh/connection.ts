import type { Duplex } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { StartChild } from "../base/kept-child.ts";
import type { Logger } from "../base/logger.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SftpSession } from "./sftp-session.ts";
import type { ShellChannel } from "./shell-channel.ts";

/** What a connection is made of, and why it is not the built-in client when it is not. */
export type Carrier = { readonly name: "ssh2" } | { readonly name: "openssh"; readonly reason: string };

/** An SSH connection that has logged in. */
export interface Connection {
  /** `user@host:port`, for messages. */
  readonly name: string;
  readonly carrier: Carrier;
  readonly closed: boolean;
  /** Calls the listener once, with the cause, when the connection has ended; at once if it has already. */
  onClosed(listener: (cause: string) => void): void;
  /** Starts `/bin/sh -s` on the other side. Rejects when that fails or takes longer than `timeoutMs`. */
  openShell(timeoutMs: number): Promise<ShellChannel>;
  /** Rejects likewise; always, when the connection is carried by the OpenSSH client. */
  openSftp(timeoutMs: number): Promise<SftpSession>;
  /** A TCP connection from there on to another host. Rejects likewise, and when the signal is aborted. */
  openStream(to: { hostname: string; port: number }, timeoutMs: number, signal: AbortSignal): Promise<Duplex>;
  /** Ends it without waiting for anything. */
  destroy(cause: string): void;
}

/**
 * `refused` is a wrong key, a wrong host or an impossible configuration, which a person has to put right;
 * `contacted` says that the host noticed, so that trying again soon does harm. `unreachable` may pass by
 * itself.
 */
export type ConnectResult =
  | { readonly kind: "connected"; readonly connection: Connection }
  | { readonly kind: "refused"; readonly message: string; readonly contacted: boolean }
  | { readonly kind: "unreachable"; readonly message: string };

export interface ConnectionDeps {
  readonly runTool: RunTool;
  readonly startChild: StartChild;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gives up an attempt that is under way; an open connection is not touched. */
  readonly signal: AbortSignal;
  /**
   * Lends the connection to a jump host, opened now if need be, for as long as the connection that `work`
   * opens through it lives. Answers why there is none otherwise.
   */
  readonly throughGate: (
    proxyJump: string,
    work: (gate: Connection) => Promise<ConnectResult>,
  ) => Promise<ConnectResult>;
}

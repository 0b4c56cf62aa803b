import type { Readable } from "node:stream";
import type { AbortReason } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Environment } from "./child-environment.ts";
import type { StopGrace } from "./stop-process.ts";

export type OutputStream = "stdout" | "stderr";

/** What to start. There is no shell: every word of `args` arrives as it is. */
export interface ProcessSpec {
  /** A name that is looked up in `env.PATH`, or a path. */
  readonly file: string;
  readonly args: readonly string[];
  /** The complete environment; nothing is inherited. */
  readonly env: Environment;
  readonly cwd?: string | undefined;
  /** What the child reads; by default nothing (/dev/null). */
  readonly stdin?: "ignore" | { readonly text: string | Uint8Array } | { readonly stream: Readable };
}

export interface ProcessOptions {
  /** Stops the child and all it started. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly grace?: StopGrace | undefined;
  /** Once it is aborted, a child that is being stopped gets no more grace. */
  readonly hurry?: AbortSignal | undefined;
  /** `overwrites`: the line came after a carriage return, as progress displays do. */
  readonly onLine?: ((stream: OutputStream, line: string, overwrites: boolean) => void) | undefined;
  readonly onChunk?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
  /** Called as soon as the child runs, with its process id, which is also its group's. */
  readonly onSpawn?: ((pid: number) => void) | undefined;
  /** Stops a child that neither writes nor moves bytes for so long. */
  readonly stallTimeoutMs?: number | undefined;
  /** How long group and output may outlive the child before they are ended; 10 s. */
  readonly drainMs?: number | undefined;
  /**
   * Variables of the child's environment that nobody else has. Processes that left its group but began
   * after it and carry all of them count as the group's. Costs a walk over /proc when the child ends.
   */
  readonly marks?: Environment | undefined;
  /** Let the kernel end the child when this process dies, where util-linux' setpriv is installed. */
  readonly dieWithParent?: boolean | undefined;
}

export type ProcessEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: string }
  | { readonly kind: "not-started"; readonly error: Error };

/** How a child ended. When this is returned its whole group is gone, but for `survivors`. */
export type ProcessResult = ProcessEnd & {
  /** Why we stopped it; null when it ended by itself or by somebody else's hand. */
  readonly stoppedBy: AbortReason | null;
  /** Processes that even SIGKILL did not end (they hang in the kernel) and that may write again. */
  readonly survivors: readonly number[];
  /** It ended by itself, but processes it had started stayed on and had to be ended. */
  readonly leftBehind: boolean;
  /** Those held its output open. */
  readonly outputHeldOpen: boolean;
  /** Its output is open still, so somebody lives on whom we cannot find. */
  readonly escaped: boolean;
};

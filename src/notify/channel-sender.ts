import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { Notice } from "./notice.ts";

/** What became of one try. `detail` is for the log and for people; it holds no secret. */
export type Delivery =
  | { readonly kind: "delivered"; readonly detail: string }
  /** `isFinal`: it would fail in the same way again. `retryAfterMs`: the server asks for so much time. */
  | { readonly kind: "failed"; readonly detail: string; readonly isFinal: boolean; readonly retryAfterMs?: number };

/** Delivers one notice, once. It never rejects, and ends soon after the signal is aborted. */
export type Send = (notice: Notice, signal: AbortSignal) => Promise<Delivery>;

export interface SenderDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The daemon's environment, of which programs see a part. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly hostname: string;
}

export function failed(detail: string, options: { isFinal?: boolean } = {}): Delivery {
  return { kind: "failed", detail, isFinal: options.isFinal ?? false };
}

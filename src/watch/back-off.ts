/** How long something that failed is left alone. */
export interface BackOffPolicy {
  readonly delayMs: number;
  readonly maxDelayMs: number;
  /** Factor from one delay to the next. */
  readonly backoff: number;
}

/** Without any pause (`delay: 0`) it would be tried without end. */
const shortestMs = 1000;

/** Counts failures in a row and says when the next try is due. Time is an argument (ms, any clock). */
export class BackOff {
  readonly #policy: BackOffPolicy;
  #failures = 0;
  #until = 0;

  constructor(policy: BackOffPolicy) {
    this.#policy = policy;
  }

  failed(now: number): void {
    const { delayMs, maxDelayMs, backoff } = this.#policy;
    this.#until = now + Math.max(shortestMs, Math.min(maxDelayMs, Math.max(1, delayMs) * backoff ** this.#failures));
    this.#failures += 1;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = 0;
  }

  /** When the next try may be; in the past when nothing failed. */
  get until(): number {
    return this.#until;
  }

  get failures(): number {
    return this.#failures;
  }
}

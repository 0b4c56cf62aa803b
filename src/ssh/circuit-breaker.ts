const minutes = [1, 2, 5, 15];

/**
 * Keeps a wrong key or an unknown host from being tried again and again: sshd (since 9.8) bans a whole
 * address for that, and rsync with its good key along with it. Plain state; time is an argument.
 */
export class CircuitBreaker {
  #failures = 0;
  #openUntil = 0;
  #message = "";

  /** What to answer instead of trying, or undefined when a try is due. `now` is monotonic. */
  refusal(now: number): string | undefined {
    if (now >= this.#openUntil) return undefined;
    const seconds = Math.ceil((this.#openUntil - now) / 1000);
    return `${this.#message} (not tried again for ${seconds} s, so that the host does not ban this address)`;
  }

  /** A login or a host key was refused. */
  failed(message: string, now: number): void {
    const pause = minutes[Math.min(this.#failures, minutes.length - 1)] as number;
    this.#failures += 1;
    this.#openUntil = now + pause * 60_000;
    this.#message = message;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }
}

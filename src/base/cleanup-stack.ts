import { describeError } from "./errors.ts";
import type { Logger } from "./logger.ts";

interface Step {
  name: string;
  run: () => Promise<void> | void;
}

/**
 * What was started is stopped in the opposite order, both at a normal stop and when the start itself
 * fails half-way. A step that fails is logged by name and does not keep the others from running.
 */
export class CleanupStack {
  readonly #steps: Step[] = [];
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Registers what undoes the step that has just succeeded. */
  defer(name: string, run: () => Promise<void> | void): void {
    this.#steps.push({ name, run });
  }

  /** Runs every step once, newest first. Returns the names of the steps that failed. */
  async unwind(): Promise<string[]> {
    const failed: string[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.run();
      } catch (error) {
        failed.push(step.name);
        this.#log.error({ step: step.name, error: describeError(error) }, "clean-up step failed");
      }
    }
    return failed;
  }
}

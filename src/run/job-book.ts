import type { Job } from "../config/resolved.ts";
import type { KnownJobs } from "./run-executor.ts";

/** The jobs of the configuration that is in use; they change when it is read again. */
export class JobBook implements KnownJobs {
  #jobs: ReadonlyMap<string, Job> = new Map();
  readonly #left = new Set<string>();

  constructor(jobs: readonly Job[]) {
    this.replace(jobs);
  }

  get(jobId: string): Job | undefined {
    return this.#jobs.get(jobId);
  }

  hasLeft(jobId: string): boolean {
    return this.#left.has(jobId);
  }

  replace(jobs: readonly Job[]): void {
    const before = this.#jobs;
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    for (const id of before.keys()) this.#left.add(id);
    for (const id of this.#jobs.keys()) this.#left.delete(id);
  }
}

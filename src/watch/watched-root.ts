import { lstat, realpath } from "node:fs/promises";
import {
  adopt,
  type AdoptContext,
  disown,
  identityAt,
  isGone,
  nothingUnwatched,
  type Unwatched,
} from "./adopt-tree.ts";
import { readMounts } from "./mount-table.ts";
import { canBeWatched, eachDirectory, handOver, outdate, rootDirectory } from "./watched-directory.ts";
import type { WatchedDirectory } from "./watched-directory.ts";
import type { RootProblem } from "./watch-state.ts";

/** The root with all that is watched below it, and what is known of the file systems it lies on. */
export class WatchedRoot {
  readonly path: string;
  readonly #context: AdoptContext;
  #top: WatchedDirectory | null = null;
  #problem: RootProblem | null = null;
  #unwatched = nothingUnwatched();
  #mounts: string | null = null;
  #isLink = false;

  constructor(path: string, context: AdoptContext) {
    this.path = path;
    this.#context = context;
  }

  get problem(): RootProblem | null {
    return this.#problem;
  }

  get unwatched(): Unwatched {
    return this.#unwatched;
  }

  get isWatched(): boolean {
    return this.#top !== null;
  }

  /** Whether the directory above has to be watched as well. */
  get needsSentry(): boolean {
    return this.#isLink || this.#top === null;
  }

  /**
   * Watches all of it anew, and gives up the old watches when the new ones stand, so that nothing is missed in
   * between. false: the root is not there or cannot be watched (`problem`, `unwatched`).
   */
  async rebuild(): Promise<boolean> {
    const old = this.#top;
    const credit = old === null ? 0 : [...eachDirectory(old)].length;
    if (old !== null) outdate(old);
    this.#isLink = await isLink(this.path);
    this.#mounts = await this.#readMounts();
    for (let attempts = 3; ; attempts -= 1) {
      const before = await identityAt({ path: this.path, parent: null });
      this.#unwatched = nothingUnwatched();
      this.#top = await adopt(rootDirectory(this.path), {
        credit,
        unwatched: this.#unwatched,
        context: this.#context,
      });
      this.#problem = this.#top === null ? this.#whyNot(before) : null;
      // Exchanged between the watch and the look at it, the root would be taken for another directory.
      if (this.#top === null || attempts === 0) break;
      if (before.kind === "identity" && before.value === this.#top.identity) break;
      await disown(this.#top, this.#context.ledger);
    }
    // Everything is said to have changed, but not that something was deleted: what was heard of that still counts.
    if (old !== null && old.identity === this.#top?.identity) handOver(old, this.#top, () => undefined);
    if (old !== null) await disown(old, this.#context.ledger);
    return this.#top !== null;
  }

  /** Gives up all watches: the root is not there, or they are not needed any more. */
  async abandon(): Promise<void> {
    const old = this.#top;
    this.#top = null;
    this.#problem = { kind: "missing" };
    this.#unwatched = nothingUnwatched();
    if (old !== null) await disown(old, this.#context.ledger);
  }

  /** Whether the root is what is watched; why all of it has to be watched anew; or that it is not there. */
  async inspect(): Promise<"same" | "missing" | { readonly rebuildFor: string }> {
    const found = await identityAt({ path: this.path, parent: null });
    if (found.kind === "error" && isGone(found.code)) return "missing";
    const { shortage } = this.#unwatched;
    if (this.#top === null && shortage === null)
      return { rebuildFor: `${this.path} is ${this.#problem?.kind === "missing" ? "back" : "watched again"}` };
    if (this.#mounts !== null && !(await this.mountsAreTheSame())) return { rebuildFor: this.mountsDiffer() };
    if (this.#top !== null && (found.kind === "error" || found.value !== this.#top.identity))
      return { rebuildFor: `another directory is at ${this.path}` };
    if (shortage !== null && this.#context.ledger.room() >= shortage.count && canBeWatched(shortage.sample))
      return { rebuildFor: `there are enough watches for ${this.path} again` };
    return "same";
  }

  /** false also where nobody can say. */
  async mountsAreTheSame(): Promise<boolean> {
    return this.#mounts !== null && (await this.#readMounts()) === this.#mounts;
  }

  mountsDiffer(): string {
    return `file systems were mounted or unmounted at ${this.path}, or above or below it`;
  }

  async #readMounts(): Promise<string | null> {
    return readMounts(await realpath(this.path).catch(() => this.path));
  }

  #whyNot(before: Awaited<ReturnType<typeof identityAt>>): RootProblem | null {
    if (this.#unwatched.shortage !== null) return null;
    const refused = this.#unwatched.unreadable.get(this.path);
    if (refused !== undefined) return { kind: "refused", code: refused.code };
    if (before.kind === "error" && !isGone(before.code)) return { kind: "refused", code: before.code };
    return { kind: "missing" };
  }
}

function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (status) => status.isSymbolicLink(),
    () => false,
  );
}

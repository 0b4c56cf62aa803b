import { posix } from "node:path";
import type { ChangeKind, PathChange } from "../model/changes.ts";

interface PendingPath {
  /** What is there now. */
  kind: ChangeKind;
  /** Place of the last news among all news. */
  at: number;
  /** Place of the last deletion; 0: none. It is remembered when something else has come there since. */
  deletedAt: number;
}

/**
 * News about paths, merged into the least that brings a copy up to date. A copy is to apply all deletions first,
 * then the rest.
 *
 * - The last news of a path counts: changed and then deleted is deleted.
 * - What comes where something was deleted is listed twice, as `deleted` and as what it is. If it is a directory, or
 *   has become one by the time it is carried, a copy still has the content of an old one, which nobody may have
 *   listed: whatever it has below that path, and the source has not, is to go. If it is none, nothing is to be deleted.
 * - A deletion makes all earlier news from below it void.
 * - A `tree` carries what changed below it, before or after: it is read when it is carried. Deletions below it stay:
 *   to carry a directory does not take anything away.
 */
export class PendingChanges {
  readonly #paths = new Map<string, PendingPath>();
  #news = 0;

  /** Paths that are remembered; `compact` may make them fewer. */
  get size(): number {
    return this.#paths.size;
  }

  add({ path, kind }: PathChange): void {
    this.#news += 1;
    const known = this.#paths.get(path);
    const deletedAt = kind === "deleted" ? this.#news : (known?.deletedAt ?? 0);
    // The attributes of a directory that is carried whole come with it.
    const becomes = kind === "changed" && known?.kind === "tree" ? "tree" : kind;
    if (known === undefined) this.#paths.set(path, { kind, at: this.#news, deletedAt });
    else Object.assign(known, { kind: becomes, at: this.#news, deletedAt });
  }

  /** Forgets what other news covers; deletions first, so that no `tree` counts that is gone. */
  compact(): void {
    this.#forget((path, { at }) =>
      this.#liesBelow(path, ({ kind, deletedAt }) => kind === "deleted" && deletedAt > at),
    );
    this.#forget(
      (path, news) =>
        news.kind !== "deleted" && !isReplacement(news) && this.#liesBelow(path, ({ kind }) => kind === "tree"),
    );
  }

  /** Forgets everything but deletions, and what came in their place. */
  keepDeletions(): void {
    this.#forget((_path, news) => news.kind !== "deleted" && !isReplacement(news));
  }

  /** All of it, deletions first. */
  list(): PathChange[] {
    this.compact();
    const deleted: PathChange[] = [];
    const present: PathChange[] = [];
    for (const [path, news] of this.#paths) {
      if (news.kind === "deleted" || isReplacement(news)) deleted.push({ path, kind: "deleted" });
      if (news.kind !== "deleted") present.push({ path, kind: news.kind });
    }
    return [...deleted, ...present];
  }

  clear(): void {
    this.#paths.clear();
  }

  #forget(isVoid: (path: string, news: PendingPath) => boolean): void {
    for (const [path, news] of this.#paths) if (isVoid(path, news)) this.#paths.delete(path);
  }

  /** Whether some directory above has such news. */
  #liesBelow(path: string, fits: (news: PendingPath) => boolean): boolean {
    for (let below = path, above = posix.dirname(path); above !== below;) {
      const news = this.#paths.get(above);
      if (news !== undefined && fits(news)) return true;
      below = above;
      above = posix.dirname(above);
    }
    return false;
  }
}

/** Something that came where another thing was deleted. */
function isReplacement({ kind, deletedAt }: PendingPath): boolean {
  return kind !== "deleted" && deletedAt > 0;
}

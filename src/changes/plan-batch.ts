import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../base/errors.ts";
import type { ChangeLedger, FileState, KnownFile, PlannedChange, TrackedTree } from "../model/tracked-change.ts";
import type { BackupPlaces } from "./backup-places.ts";
import { entryMark, formatLogEntry } from "./log-entry.ts";
import type { StagedFile } from "./staged-file.ts";
import { countLines, type Differ, type Difference } from "./unified-diff.ts";

/** Which sync the changes belong to. */
export interface ChangeOrigin {
  readonly runId: string;
  readonly trigger: string;
  /** Wall clock (ms). */
  readonly at: number;
}

export interface PlanOptions {
  readonly batchId: string;
  readonly tree: TrackedTree;
  readonly origin: ChangeOrigin;
  readonly ledger: ChangeLedger;
  readonly places: BackupPlaces;
  readonly differ: Differ;
}

/** What a batch does, decided and not yet begun. */
export interface BatchPlan {
  readonly changes: readonly PlannedChange[];
  readonly remember: readonly KnownFile[];
  readonly forget: readonly string[];
  readonly logEntries: readonly Buffer[];
}

/** A batch ends after so many changes, or so much text for the log. */
const batchLimit = { changes: 1000, bytes: 8 * 1024 * 1024 };
const page = 1000;

/** Compares staged files with what the ledger knows of them, from `start` on; `next` is the first that is left. */
export async function planBatch(
  staged: readonly StagedFile[],
  start: number,
  options: PlanOptions,
): Promise<{ plan: BatchPlan; next: number }> {
  const plan = new Plan(options);
  let next = start;
  for (let found = staged[next]; found !== undefined && !plan.isFull(); found = staged[next]) {
    // What is in its own batch's way has to be carried out first.
    if (!(await plan.add(found))) break;
    next += 1;
  }
  return { plan: plan.finish(), next };
}

class Plan {
  readonly #options: PlanOptions;
  readonly #copyDirectory: string;
  readonly #changes: PlannedChange[] = [];
  readonly #log: Buffer[] = [];
  #logBytes = 0;
  /** What this batch leaves behind; undefined: nothing. */
  readonly #after = new Map<string, KnownFile | undefined>();

  constructor(options: PlanOptions) {
    this.#options = options;
    this.#copyDirectory = options.places.newCopyDirectory(options.tree, options.origin.runId);
  }

  isFull(): boolean {
    return this.#changes.length >= batchLimit.changes || this.#logBytes >= batchLimit.bytes;
  }

  finish(): BatchPlan {
    const states = [...this.#after];
    return {
      changes: this.#changes,
      remember: states.flatMap(([, state]) => state ?? []),
      forget: states.flatMap(([path, state]) => (state === undefined ? path : [])),
      logEntries: this.#log,
    };
  }

  /** Whether it could be planned for; else it belongs into the next batch. */
  async add(found: StagedFile): Promise<boolean> {
    if (this.#after.has(found.path)) return false;
    const known = this.#known(found.path);
    if (known !== undefined && known.ticket >= found.ticket) return true;
    if (found.state === null) {
      if (known !== undefined) await this.#delete(known, found);
      return true;
    }
    const after: KnownFile = { ...found.state, path: found.path, ticket: found.ticket };
    if (known === undefined) {
      if (this.#isInTheWay(found.path)) return false;
      await this.#clearTheWay(found);
      await this.#record("created", found, undefined, after);
    } else if (known.sha256 !== after.sha256 || known.kind !== after.kind || known.size !== after.size) {
      await this.#record("modified", found, known, after);
    }
    this.#after.set(found.path, after);
    return true;
  }

  /** Whether this batch leaves a file where the path needs a directory, or the other way round. */
  #isInTheWay(path: string): boolean {
    for (const [other, state] of this.#after) {
      if (state !== undefined && (other.startsWith(`${path}/`) || path.startsWith(`${other}/`))) return true;
    }
    return false;
  }

  #known(path: string): KnownFile | undefined {
    return this.#after.has(path) ? this.#after.get(path) : this.#options.ledger.file(this.#options.tree, path);
  }

  async #delete(known: KnownFile, found: StagedFile): Promise<void> {
    const file = known.path === found.path ? found.file : `${found.file}${known.path.slice(found.path.length)}`;
    await this.#record("deleted", { ...found, path: known.path, file, staged: null }, known, undefined);
    this.#after.set(known.path, undefined);
  }

  async #deleteBelow(found: StagedFile): Promise<void> {
    const { ledger, tree } = this.#options;
    for (let after = ""; ;) {
      const below = ledger.filesBelow(tree, found.path, after, page);
      for (const known of below) {
        // A newer look saw the file there again.
        if (known.ticket < found.ticket && this.#known(known.path) !== undefined) await this.#delete(known, found);
      }
      if (below.length < page) return;
      after = below.at(-1)?.path ?? "";
    }
  }

  /** Where a file was a directory before, or a directory a file, what was there is gone. */
  async #clearTheWay(found: StagedFile): Promise<void> {
    const parts = found.path.split("/");
    const own = parts.length;
    for (let length = own - 1; length > 0; length -= 1) {
      const path = parts.slice(0, length).join("/");
      const known = this.#known(path);
      if (known !== undefined) {
        await this.#delete(known, { ...found, path, file: parentOf(found.file, own - length) });
      }
    }
    await this.#deleteBelow(found);
  }

  async #record(
    change: PlannedChange["change"],
    found: StagedFile,
    before: KnownFile | undefined,
    after: KnownFile | undefined,
  ): Promise<void> {
    const { tree, origin, places, batchId } = this.#options;
    const old = before?.kind === "text" ? await this.#readBaseline(before) : undefined;
    const copy = old === undefined ? null : join(this.#copyDirectory, found.path);
    const difference = old !== undefined && after?.kind === "text" ? await this.#compare(found, old) : undefined;
    const counted = difference?.kind === "diff" ? countLines(difference.text) : undefined;
    const planned: PlannedChange = {
      ...{ ...tree, ...origin, path: found.path, file: found.file, change },
      before: before === undefined ? null : withoutStamp(before),
      after: after === undefined ? null : { kind: after.kind, size: after.size, sha256: after.sha256 },
      ...{ addedLines: counted?.added ?? null, removedLines: counted?.removed ?? null },
      ...{ copy, staged: found.staged },
    };
    this.#changes.push(planned);
    const entry = formatLogEntry(planned, {
      mark: entryMark(batchId, this.#changes.length),
      difference,
      copyFile: copy === null ? undefined : join(places.root, copy),
      note: before?.kind === "text" && old === undefined ? "the previous copy was missing or damaged" : undefined,
    });
    this.#log.push(Buffer.from(entry));
    this.#logBytes += entry.length;
  }

  /** undefined: it is not what it was when it was kept. */
  async #readBaseline(known: KnownFile): Promise<Buffer | undefined> {
    const { places, tree } = this.#options;
    try {
      const content = await readFile(places.current(tree, known.path));
      return createHash("sha256").update(content).digest("hex") === known.sha256 ? content : undefined;
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "EISDIR"].includes(systemErrorCode(error) ?? "")) return undefined;
      throw error;
    }
  }

  async #compare(found: StagedFile, old: Buffer): Promise<Difference> {
    const { places, tree, differ } = this.#options;
    const file = join(places.staging, found.staged ?? "");
    const before = { file: places.current(tree, found.path), content: old };
    return differ(before, { file, content: await readFile(file) });
  }
}

function withoutStamp({ kind, size, sha256, mode, uid, gid }: KnownFile): Omit<FileState, "stamp"> {
  return { kind, size, sha256, mode, uid, gid };
}

function parentOf(file: string, levels: number): string {
  return file.split("/").slice(0, -levels).join("/");
}

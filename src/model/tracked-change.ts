/** One sync whose files are tracked. */
export interface TrackedTree {
  readonly jobId: string;
  readonly actionId: string;
}

/** `text`: a copy is kept. `binary` and `large` (beyond the size limit): only size and checksum are. */
export type ContentKind = "text" | "binary" | "large";

/** A regular file as it was last synced. Sizes are bytes. */
export interface FileState {
  readonly kind: ContentKind;
  readonly size: number;
  /** Lower-case hexadecimal; null: too large to be read for a baseline. */
  readonly sha256: string | null;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size, times and inode in one word: while it stays, the content need not be read again. */
  readonly stamp: string;
}

export interface KnownFile extends FileState {
  /** As rsync names it: relative to the root of the transfer. */
  readonly path: string;
  /** When it was read, as a number that only grows: an older view never replaces a newer one. */
  readonly ticket: number;
}

export type TrackedChangeKind = "created" | "modified" | "deleted";

/** One change of one file, as the ledger keeps it. */
export interface ChangeEntry extends TrackedTree {
  readonly runId: string;
  /** Wall clock, milliseconds. */
  readonly at: number;
  /** Who asked for the run: `cron`, `watch`, `signal` or `request`, and what exactly, for people. */
  readonly trigger: string;
  readonly path: string;
  /** Where the file is on this host, absolute. */
  readonly file: string;
  readonly change: TrackedChangeKind;
  /** Before the change; null: the file was not there, or nobody knew it. */
  readonly before: Omit<FileState, "stamp"> | null;
  readonly after: Pick<FileState, "kind" | "size" | "sha256"> | null;
  /** Of the difference; null: there is none (no text, or too different). */
  readonly addedLines: number | null;
  readonly removedLines: number | null;
}

/** An entry and where its previous copy is. */
export interface RecordedChange extends ChangeEntry {
  readonly id: number;
  /** Relative to the backup directory; null: there was none, or it is not kept any more. */
  readonly copy: string | null;
}

/** What the ledger has to do for one change; `staged` names the new content below the staging directory. */
export interface PlannedChange extends ChangeEntry {
  readonly copy: string | null;
  readonly staged: string | null;
}

/** Changes of one sync that are recorded together, or not at all. */
export interface ChangeBatch {
  /** Letters and digits; the name of its directory. */
  readonly id: string;
  readonly tree: TrackedTree;
  readonly changes: readonly PlannedChange[];
}

/** Where a change log ended before a batch was written to it. */
export interface LogPosition {
  readonly file: string;
  readonly inode: number;
  readonly offset: number;
}

/** A batch that was decided and not finished; `log` is null until the change log was looked at. */
export interface UnfinishedBatch extends ChangeBatch {
  readonly log: LogPosition | null;
}

/** `baseline`: every file was read once. `unsettled`: a sync began, and nobody knows what it copied. */
export interface TreeState {
  readonly baseline: boolean;
  readonly unsettled: boolean;
}

export interface ChangeQuery {
  /** Absolute, or relative to the transfer; a directory stands for what is below it. */
  readonly path?: string | undefined;
  readonly jobId?: string | undefined;
  readonly runId?: string | undefined;
  /** Wall clock (ms). */
  readonly since?: number | undefined;
  readonly limit: number;
}

/** What a reader may ask while a director writes. The calls throw when the ledger cannot be read. */
export interface ChangeLedgerReader {
  /** The newest first. */
  changes(query: ChangeQuery): RecordedChange[];
  /** One of them; undefined: there is none (any more). */
  change(id: number): RecordedChange | undefined;
  /** The first change of a file after the given one, if any. */
  nextChange(of: RecordedChange): RecordedChange | undefined;
  close(): void;
}

/** The memory of change tracking. The calls are synchronous and throw when the ledger does not work. */
export interface ChangeLedger extends ChangeLedgerReader {
  tree(of: TrackedTree): TreeState;
  setTree(of: TrackedTree, state: TreeState): void;
  file(of: TrackedTree, path: string): KnownFile | undefined;
  /** Files below a directory (`""`: all) in order of their paths, those after `after`. */
  filesBelow(of: TrackedTree, directory: string, after: string, limit: number): KnownFile[];
  highestTicket(): number;
  /** Files whose content is what the ledger says, or which get their baseline. */
  remember(of: TrackedTree, files: readonly KnownFile[]): void;
  /** Decides a batch: from now on it is carried out, also after a crash. */
  begin(batch: ChangeBatch, states: { remember: readonly KnownFile[]; forget: readonly string[] }): void;
  unfinished(): UnfinishedBatch[];
  setLogPosition(batchId: string, position: LogPosition): void;
  finish(batchId: string): void;
  /** Previous copies of a job that are to go, at most `limit`. */
  surplusCopies(of: CopyLimits, limit: number): { id: number; copy: string }[];
  /** The copies are gone. */
  dropCopies(ids: readonly number[]): void;
  /** Forgets the oldest entries that have no copy, beyond so many entries. */
  dropEntries(beyond: number, limit: number): void;
}

export interface CopyLimits {
  readonly jobId: string;
  /** Of each file; checked for these paths of this action, or for all. */
  readonly keepLast: number;
  readonly only?: { readonly actionId: string; readonly paths: readonly string[] } | undefined;
  /** Wall clock (ms): what was replaced earlier goes. */
  readonly olderThan: number;
  /** Bytes of all copies of the job. */
  readonly maxSize: number;
}

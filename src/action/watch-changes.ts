import { rsyncOptionNames } from "../base/rsync-words.ts";
import type { ItemizedChange } from "../model/transfer.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import type { SyncRun } from "./sync-run.ts";

/** What is known of a large sync is handed on in parts. */
const partSize = 1000;

export interface ChangesWatch {
  readonly spec: RsyncCommandSpec;
  readonly onChange: (change: ItemizedChange) => void;
  /** Only we asked for the itemised lines. */
  readonly hides: boolean;
  /** Hands on what is left, which may be nothing: whoever listens knows by it that all was told. */
  finish(): void;
}

/** Lets a call say what it changes, where somebody listens and the job tracks changes or itemises them anyway. */
export function watchChanges({ job, context }: SyncRun, spec: RsyncCommandSpec): ChangesWatch | undefined {
  const { onChanges } = context;
  if (onChanges === undefined || context.dryRun) return undefined;
  const names = rsyncOptionNames(spec.opts);
  const itemises = names.has("i") || names.has("itemize-changes");
  if (job.trackChanges === undefined && !itemises) return undefined;
  const hidden = ["out-format", "log-format", "quiet"].find((name) => names.has(name));
  if (hidden !== undefined) {
    if (job.trackChanges !== undefined) {
      context.log.warn({ option: `--${hidden}` }, "changes cannot be tracked: an option hides what rsync changes");
    }
    return undefined;
  }
  let part: ItemizedChange[] = [];
  const handOn = () => {
    onChanges(part);
    part = [];
  };
  return {
    spec: itemises ? spec : { ...spec, own: [...(spec.own ?? []), "--itemize-changes"] },
    // Who asked for names is given the itemised lines, which contain them.
    hides: !itemises && !names.has("v") && !names.has("verbose"),
    onChange: (change) => {
      // With -ii or -vv rsync names unchanged paths too.
      if (change.operation === "attributes" && change.differs.length === 0) return;
      if (part.push(change) >= partSize) handOn();
    },
    finish: handOn,
  };
}

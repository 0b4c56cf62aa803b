import type { Job, SyncAction } from "../config/resolved.ts";
import type { ItemizedChange } from "../model/transfer.ts";
import type { RsyncCommandSpec } from "../rsync/command.ts";
import type { ActionContext, ActionDeps } from "./action-kind.ts";

/** Everything that one try of a sync needs. */
export interface SyncRun {
  readonly job: Job;
  readonly action: SyncAction;
  readonly context: ActionContext;
  readonly deps: ActionDeps;
}

/** One of the calls of rsync that a sync is made of. */
export interface SyncCall {
  readonly spec: RsyncCommandSpec;
  /** What rsync reads from its standard input, where it waits until there is something. */
  readonly stdin?: string | Promise<string> | undefined;
  /** `complete`: an rsync that ends well without having copied anything is looked at closely. */
  readonly judgedAs: "complete" | "paths";
  /** Only to be looked at: its changes go to `onChange` and nowhere else. */
  readonly onChange?: ((change: ItemizedChange) => void) | undefined;
  /** Says of a line of its output whether it is for the caller alone. */
  readonly takeLine?: ((line: string) => boolean) | undefined;
}

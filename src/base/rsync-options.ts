/** Options of rsync by name. Absent and `false` mean "not given", unless a comment says otherwise. */
export interface RsyncOptions {
  readonly archive?: boolean;
  readonly compress?: boolean;
  readonly update?: boolean;
  readonly checksum?: boolean;
  readonly partial?: boolean;
  readonly verbose?: boolean;
  readonly itemizeChanges?: boolean;
  /** Always on, whatever is said here: the history needs it. */
  readonly stats?: boolean;
  /** On unless `false`. */
  readonly progress?: boolean;
  /** `incremental`: as rsync itself does. `whole`: one list of the whole tree first. Else by distance and size. */
  readonly recursion?: "auto" | "incremental" | "whole";
  readonly delete?: boolean | "before" | "during" | "delay" | "after";
  readonly deleteExcluded?: boolean;
  readonly maxDelete?: number;
  readonly hardLinks?: boolean;
  readonly acls?: boolean;
  readonly xattrs?: boolean;
  readonly numericIds?: boolean;
  readonly sparse?: boolean;
  readonly inplace?: boolean;
  /** `false` asks for the delta algorithm, which rsync does not use between local paths by itself. */
  readonly wholeFile?: boolean;
  readonly oneFileSystem?: boolean;
  readonly ignoreExisting?: boolean;
  readonly removeSourceFiles?: boolean;
  readonly mkpath?: boolean;
  readonly bwlimit?: string;
  readonly timeoutSeconds?: number;
  readonly modifyWindow?: number;
  readonly exclude?: readonly string[];
  readonly include?: readonly string[];
  readonly filter?: readonly string[];
  readonly excludeFrom?: string;
  readonly includeFrom?: string;
  readonly linkDest?: readonly string[];
  readonly backup?: boolean;
  readonly backupDir?: string;
  readonly suffix?: string;
  readonly partialDir?: string;
  readonly tempDir?: string;
  readonly chmod?: string;
  readonly chown?: string;
  readonly rsyncPath?: string;
}

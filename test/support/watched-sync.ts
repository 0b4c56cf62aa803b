import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Job, SyncAction, Watch } from "../../src/config/resolved.ts";
import type { Logger } from "../../src/base/logger.ts";
import type { ChangeKind } from "../../src/model/changes.ts";
import type { ActionOutcome } from "../../src/model/run.ts";
import { buildWatch } from "./build-watch.ts";
import { makeTempDir } from "./temp-dir.ts";
import { buildSync, startAction } from "./run-action.ts";
import type { StartedAction, StartOptions } from "./run-action.ts";

/** A source and a destination, and a job that carries changes from one to the other with one rsync. */
export interface WatchedSync {
  readonly directory: string;
  readonly source: string;
  readonly dest: string;
  /** Makes files (and what is above them) below the source or the destination; a name with `/` at its end is a directory. */
  fill(root: "source" | "dest", names: readonly string[], content?: string): Promise<void>;
  /** Carries changes, named relative to the source. */
  carry(changes: Partial<Record<ChangeKind, readonly string[]>>, options?: CarryOptions): CarriedSync;
  /** A complete sync. */
  full(options?: CarryOptions): CarriedSync;
  /** How many processes named rsync were started here. */
  started(): Promise<number>;
}

export interface CarryOptions extends StartOptions {
  action?: Partial<SyncAction>;
  watch?: Partial<Watch>;
  /** Further jobs' keys. */
  guard?: Partial<Job["guard"]>;
}

export type CarriedSync = StartedAction & { readonly reasons: readonly unknown[] };

/** `rsync`: the program to use. */
export async function makeWatchedSync(rsync: string): Promise<WatchedSync> {
  const directory = await makeTempDir();
  const [source, dest, bin] = ["source", "dest", "bin"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [source, dest, bin]) await mkdir(each);
  // Counts how often it is started; the processes that rsync forks do not come this way.
  await writeFile(join(bin, "rsync"), `#!/bin/sh\necho x >>${directory}/started\nexec ${rsync} "$@"\n`);
  await chmod(join(bin, "rsync"), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
  const start = (scope: StartOptions["scope"], { action = {}, watch = {}, guard = {}, ...rest }: CarryOptions) => {
    const reasons: unknown[] = [];
    const log: Logger = {
      debug: () => undefined,
      info: (fields) => void ("reason" in fields && reasons.push(fields["reason"])),
      warn: () => undefined,
      error: () => undefined,
      child: () => log,
    };
    const started = startAction(buildSync({ sources: [`${source}/`], dest, ...action }), {
      log,
      ...rest,
      ...(scope === undefined ? {} : { scope }),
      deps: { env, ...rest.deps },
      job: {
        watch: buildWatch({ paths: [source], ...watch }),
        guard: { requirePaths: [], nonEmpty: true, maxDelete: undefined, maxDeletePercent: undefined, ...guard },
        ...rest.job,
      },
    });
    return { ...started, reasons };
  };
  return {
    directory,
    source,
    dest,
    fill: async (root, names, content = "content") => {
      for (const name of names) {
        const path = join(root === "source" ? source : dest, name);
        await mkdir(name.endsWith("/") ? path : dirname(path), { recursive: true });
        if (!name.endsWith("/")) await writeFile(path, content);
      }
    },
    carry: (changes, options = {}) =>
      start(
        {
          kind: "paths",
          changes: Object.entries(changes).flatMap(([kind, names]) =>
            names.map((name) => ({ kind: kind as ChangeKind, path: name === "" ? source : `${source}/${name}` })),
          ),
        },
        options,
      ),
    full: (options = {}) => start(options.scope, options),
    started: async () => (await readFile(join(directory, "started"), "utf8").catch(() => "")).length / 2,
  };
}

/** Every path below a directory with its kind and content, in order. */
export async function treeOf(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  const walk = async (below: string) => {
    for (const name of (await readdir(join(root, below))).toSorted()) {
      const path = below === "" ? name : `${below}/${name}`;
      const info = await lstat(join(root, path));
      if (info.isDirectory()) {
        tree[`${path}/`] = "";
        await walk(path);
      } else
        tree[path] = info.isSymbolicLink()
          ? `-> ${await readlink(join(root, path))}`
          : await readFile(join(root, path), "utf8");
    }
  };
  await walk("");
  return tree;
}

/** The names of a tree; of directories only those that hold nothing. */
export async function filesOf(root: string): Promise<string[]> {
  const names = Object.keys(await treeOf(root));
  return names.filter(
    (name) => !name.endsWith("/") || !names.some((other) => other !== name && other.startsWith(name)),
  );
}

export async function messageOf(outcome: Promise<ActionOutcome>): Promise<string> {
  const ended = await outcome;
  return "message" in ended ? ended.message : ended.kind;
}

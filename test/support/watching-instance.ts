import { mkdir, readFile, writeFile } from "node:fs/promises";
import { untilTreesEqual, type TreeRules } from "./compare-trees.ts";
import type { DirectorProcess } from "./director-process.ts";
import { type ConfigDraft, type Instance, makeInstance, reach } from "./instance.ts";
import { waitUntil } from "./process-state.ts";
import type { TestSshd } from "./sshd.ts";
import type { StormPlace } from "./tree-storms.ts";

/** One instance whose only job, `watched`, carries a tree to targets as it changes. */
export interface WatchingInstance extends Instance {
  readonly place: StormPlace;
  /** The directory of a target. */
  dest(id: string): string;
  /** Starts it and resolves when a run of it, of what was pending or of everything, has succeeded. */
  startAndSync(options?: { inside?: readonly string[] }): Promise<DirectorProcess>;
  /** Resolves when every one of these targets, all unless given, is equal to the tree. */
  untilArrived(rules?: TreeRules & { readonly timeoutMs?: number }, ...ids: string[]): Promise<void>;
  /** Resolves when nothing is pending for any target, or for one. */
  untilNothingPending(id?: string): Promise<void>;
  /** Paths that have not arrived at a target; -1: everything, undefined: the metric is not there. */
  pending(id: string): Promise<number | undefined>;
  isDegraded(): Promise<boolean>;
}

export interface WatchingTarget {
  readonly id: string;
  readonly sshd: TestSshd;
  /** Somewhere else than in the instance's directory. */
  readonly dest?: string;
}

/** `watch` and `job` are laid over what is set here: short times, and no complete sync that would hide a loss. */
export async function makeWatchingInstance(options: {
  readonly targets: readonly WatchingTarget[];
  readonly source?: string;
  readonly watch?: ConfigDraft;
  readonly job?: ConfigDraft;
}): Promise<WatchingInstance> {
  const { targets, watch = {}, job = {} } = options;
  const instance = await makeInstance(({ path }) => ({
    ssh: { known_hosts_file: path("known_hosts"), connect_timeout: 30 },
    jobs: [
      {
        ...{ id: "watched", type: "remote", retry: { limit: 0, delay: "1s", max_delay: "3s" } },
        targets: targets.map((target) => ({
          id: target.id,
          ...reach(target.sshd),
          dest: target.dest ?? path("targets", target.id),
        })),
        watch: { debounce: "300ms", max_delay: "2s", full_sync_interval: "1h", delete: "all", ...watch },
        actions: [
          {
            action: "sync",
            id: "copy",
            source: `${options.source ?? path("source")}/`,
            dest: "/set-by-target",
            opts: ["-a"],
          },
        ],
        ...job,
      },
    ],
  }));
  const keys = await Promise.all(targets.map(({ sshd }) => readFile(sshd.knownHostsFile, "utf8")));
  await writeFile(instance.path("known_hosts"), keys.join(""));
  const place = { tree: options.source ?? instance.path("source"), aside: instance.path("aside") };
  await mkdir(place.aside);
  // An empty source would be refused.
  if (options.source === undefined) await writeFile(instance.path("source", "here from the start"), "");
  const dests = new Map(targets.map((target) => [target.id, target.dest ?? instance.path("targets", target.id)]));
  for (const dest of dests.values()) await mkdir(dest, { recursive: true });
  const dest = (id: string) => dests.get(id) ?? "";
  const gauge = async (name: string, labels: string) => gaugeIn(await instance.scrape(), name, labels);
  const pending = (id: string) => gauge("rsyncdirector_pending_files", `{job_id="watched",target="${id}"}`);
  return {
    ...instance,
    place,
    dest,
    pending,
    startAndSync: async (how = {}) => {
      const director = await instance.start(how);
      await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
      return director;
    },
    untilArrived: async (rules = {}, ...ids) => {
      for (const id of ids.length === 0 ? dests.keys() : ids) await untilTreesEqual(place.tree, dest(id), rules);
    },
    untilNothingPending: (id) =>
      waitUntil("nothing is pending", async () => {
        const counts = await Promise.all((id === undefined ? [...dests.keys()] : [id]).map(pending));
        return counts.every((count) => count === 0);
      }),
    isDegraded: async () => (await gauge("rsyncdirector_watch_degraded", '{job_id="watched"}')) === 1,
  };
}

/** The value of one series of a scrape. */
function gaugeIn(scrape: string, name: string, labels: string): number | undefined {
  const line = scrape.split("\n").find((text) => text.startsWith(`${name}${labels} `));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ") + 1));
}

/** A program that becomes another one where a user may have so few inotify watches. */
export function withWatchLimit(limit: number): string[] {
  const script = `echo ${limit} >/proc/sys/user/max_inotify_watches && exec "$@"`;
  return ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"];
}

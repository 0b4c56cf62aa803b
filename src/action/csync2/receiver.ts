import { readdir, readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { sleep } from "../../base/abort.ts";
import type { Clock } from "../../base/clock.ts";
import { readCsync2Options } from "../../config/csync2-options.ts";
import type { Csync2Action } from "../../config/resolved.ts";

/** Debian's build of csync2; `-D` names another. */
const usualDirectory = "/var/lib/csync2";
/** Where csync2 answers; `-p` names another. */
const usualPort = "30865";
const [firstPollMs, longestPollMs] = [50, 400];
/** A peer of which nothing is written down for so long sends one long file, which is put in its place at the end, or is gone. */
const silenceMs = 15_000;
/** A run waits no longer than this for those who send one file after the other. */
const longestMs = 600_000;

/** csync2's own service on this host, which takes in what the peers send. */
export interface Receiver {
  /** Whether a peer is sending just now. */
  isBusy(): Promise<boolean>;
  /** Resolves when no peer is sending, or none that gets on; early when the signal is aborted. */
  settle(options: { clock: Clock; signal: AbortSignal }): Promise<"settled" | "given up">;
}

type Place = Pick<Csync2Action, "opts" | "hostname">;

/**
 * For each file that it takes in, csync2 puts the content in its place, then owner, mode and time, and writes down each
 * step after it is done. A check in between takes the file for a change of this host: the step that follows is refused
 * to the peer, or the file is sent back, and both can be a conflict that nobody made. As long as a peer is connected
 * there may be such a file. csync2 may also hold back what it writes down until it commits; SQLite keeps a journal
 * beside the database from the first write of a transaction to its commit (sqlite.org, "File Locking And
 * Concurrency", section 4). A database of another kind has none.
 *
 * `silent` has what nothing came from in all of an earlier wait, and what the database was like then: it is not waited
 * for again as long as that is so.
 */
export function createReceiver({ opts, hostname: ownName = hostname() }: Place, silent: Map<string, string>): Receiver {
  const { values } = readCsync2Options(opts);
  const directory = values.get("D") ?? usualDirectory;
  const port = Number(values.get("p") ?? usualPort);

  const prefix = `${directory} ${port} `;
  /** Of the first wait of this run. */
  let begunAt: number | undefined;

  /** Who may be sending just now, and what is written down by now. */
  async function look(): Promise<{ senders: readonly string[]; database: string }> {
    const connections = await connectionsTo(port);
    const files = await databaseFiles(directory, ownName.toLowerCase());
    const journals = files.some((line) => line.includes("-journal ")) ? ["journal"] : [];
    const all = [...connections, ...journals].map((sender) => `${prefix}${sender}`);
    for (const sender of silent.keys()) {
      if (sender.startsWith(prefix) && !all.includes(sender)) silent.delete(sender);
    }
    const database = files.join("\n");
    return { senders: all.filter((sender) => silent.get(sender) !== database), database };
  }

  return {
    isBusy: async () => (await look()).senders.length > 0,
    settle: async ({ clock, signal }) => {
      begunAt ??= clock.monotonic();
      let [last, changedAt, pollMs] = ["", clock.monotonic(), firstPollMs];
      while (!signal.aborted) {
        const { senders, database } = await look();
        if (senders.length === 0) return "settled";
        const now = clock.monotonic();
        const state = [...senders, database].join("\n");
        if (state !== last) [last, changedAt] = [state, now];
        if (now - changedAt >= silenceMs) {
          for (const sender of senders) silent.set(sender, database);
          return "given up";
        }
        if (now - begunAt >= longestMs) return "given up";
        await sleep(pollMs, { clock, signal });
        pollMs = Math.min(pollMs * 1.5, longestPollMs);
      }
      return "given up";
    },
  };
}

/** Name, time and size of each file of this host's databases. */
async function databaseFiles(directory: string, prefix: string): Promise<string[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.startsWith(prefix)).toSorted();
  const lines: string[] = [];
  for (const name of names) {
    const stats = await stat(join(directory, name)).catch(() => undefined);
    if (stats !== undefined) lines.push(`${name} ${stats.mtimeMs} ${stats.size}`);
  }
  return lines;
}

/**
 * The other ends of the connections to this port of this host (proc(5), `/proc/net/tcp`), in the states 01 and 08 of
 * the kernel's `tcp_states.h`: the peer is there, or has gone and what it said is still being read.
 */
async function connectionsTo(port: number): Promise<string[]> {
  const local = port.toString(16).toUpperCase().padStart(4, "0");
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${local} ([0-9A-F]+:[0-9A-F]+) (?:01|08) `, "gm");
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].map((file) => readFile(file, "latin1").catch(() => ""));
  return (await Promise.all(tables)).flatMap((text) => [...text.matchAll(line)].map(([, peer = ""]) => peer));
}

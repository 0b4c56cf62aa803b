import { readdir, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { describeError, systemErrorCode } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import type { ClaimJournal } from "../claim/claim-journal.ts";
import { formatIntents, type Intent, parseIntents } from "./intents-file.ts";
import { createFileKeeper, outdatedNameOf } from "./intents-writer.ts";

/** What this life of the director writes down, so that the next one can clean up after it. */
export interface IntentBook extends ClaimJournal {
  /** What earlier lives left unfinished; each stays in the file until it is settled. */
  readonly earlier: readonly Intent[];
  /** There was no file, or none that could be read or kept up to date: there may be more locks of an earlier life. */
  readonly lost: boolean;
  /** A job begins. What it claims is written down by `claiming`. */
  begin(run: NewIntent): void;
  /** It has started a child that leads a process group of its own; the group ends before the job does. */
  spawned(run: RunOfJob, group: Intent["groups"][number]): void;
  /** No process of it is left. Tokens that are not gone stay written down. */
  end(run: RunOfJob): void;
  /** Nothing of it is left. */
  settled(intent: Intent): void;
  /** Writes what is not written yet. */
  close(): Promise<void>;
}

interface RunOfJob {
  readonly runId: string;
  readonly jobId: string;
}

export type NewIntent = Pick<Intent, "runId" | "jobId" | "locks" | "holds">;

interface OpenIntent {
  readonly run: NewIntent;
  /** By token, the keys of the locks that may carry it; undefined: any of the job's. */
  readonly tokens: Map<string, ReadonlySet<string> | undefined>;
  groups: Intent["groups"];
  over: boolean;
}

/** For a director that takes no locks (a dry run): nothing is read, nothing is written. */
export const noIntents: IntentBook = {
  earlier: [],
  lost: false,
  begin: () => undefined,
  spawned: () => undefined,
  claiming: () => Promise.resolve(),
  left: () => undefined,
  unlinking: () => Promise.resolve(true),
  unlinkAnswered: () => undefined,
  gone: () => undefined,
  end: () => undefined,
  settled: () => undefined,
  close: () => Promise.resolve(),
};

export async function openIntents(
  file: string,
  deps: { boot: string; pidns?: string | undefined; clock: Clock; log: Logger },
): Promise<IntentBook> {
  const { boot, pidns, clock, log } = deps;
  const here = { boot, ...(pidns !== undefined && { pidns }) };
  await removeHalfWritten(file);
  const read = await readIntents(file, deps);
  const earlier = new Set(read.intents);
  const open = new Map<string, OpenIntent>();
  /** `token key`, also of earlier lives; a token belongs to one intent. */
  const unlinked = new Set(read.intents.flatMap((intent) => intent.unlinked ?? []));
  const keeper = createFileKeeper(file, {
    content: () =>
      formatIntents([...earlier, ...[...open.values()].map((intent) => toIntent(intent, here))].map(withUnlinked)),
    written: read.lost ? undefined : formatIntents(read.intents),
    clock,
    log,
  });

  const withUnlinked = (intent: Intent): Intent => {
    const { unlinked: _, ...rest } = intent;
    const own = [...unlinked].filter((entry) => intent.tokens.some((token) => entry.startsWith(`${token} `)));
    return own.length === 0 ? rest : { ...rest, unlinked: own };
  };
  /** What only became less need not be on the disk at once: to give back what is gone does no harm. */
  const setLeft = (token: string, leftOf: (before: ReadonlySet<string> | undefined) => ReadonlySet<string>) => {
    for (const [key, intent] of open) {
      if (!intent.tokens.has(token)) continue;
      const left = leftOf(intent.tokens.get(token));
      if (left.size > 0) intent.tokens.set(token, left);
      else intent.tokens.delete(token);
      dropWhenDone(key, intent);
    }
  };
  const dropWhenDone = (key: string, intent: OpenIntent) => {
    if (intent.over && intent.tokens.size === 0) open.delete(key);
    keeper.later();
  };

  return {
    earlier: read.intents,
    lost: read.lost,
    begin: (run) => {
      open.set(keyOf(run), { run, tokens: new Map(), groups: [], over: false });
      // Children can be found by it, so it is written even if nothing is ever claimed; but nobody waits. With locks
      // a claim writes it before there are any, and would have to wait for this write first.
      if (run.locks.length > 0) keeper.later();
      else void keeper.now();
    },
    spawned: (run, group) => {
      const intent = open.get(keyOf(run));
      if (intent !== undefined) intent.groups = [...intent.groups, group];
      // They can also be found by the run in their environment, so it does not have to be at once.
      keeper.later();
    },
    claiming: (claim) => {
      open.get(keyOf(claim))?.tokens.set(claim.token, undefined);
      return keeper.now().then(() => undefined);
    },
    left: (token, keys) => {
      if (keys.length === 0) for (const entry of unlinked) if (entry.startsWith(`${token} `)) unlinked.delete(entry);
      setLeft(token, () => new Set(keys));
    },
    gone: (token, key) => {
      unlinked.delete(`${token} ${key}`);
      setLeft(token, (before = new Set()) => new Set([...before].filter((left) => left !== key)));
    },
    unlinking: async (token, key) => {
      if (unlinked.has(`${token} ${key}`)) return false;
      unlinked.add(`${token} ${key}`);
      if (await keeper.now()) return true;
      // The next life would not know of it and send another.
      unlinked.delete(`${token} ${key}`);
      return false;
    },
    unlinkAnswered: (token, key) => {
      unlinked.delete(`${token} ${key}`);
      keeper.later();
    },
    end: (run) => {
      const intent = open.get(keyOf(run));
      if (intent === undefined) return;
      intent.over = true;
      intent.groups = [];
      dropWhenDone(keyOf(run), intent);
    },
    settled: (intent) => {
      earlier.delete(intent);
      keeper.later();
    },
    close: () => keeper.close().then(() => undefined),
  };
}

function toIntent({ run, tokens, groups }: OpenIntent, here: Pick<Intent, "boot" | "pidns">): Intent {
  const { runId, jobId, locks, holds } = run;
  return { runId, jobId, ...here, locks, tokens: [...tokens.keys()], holds, groups };
}

function keyOf({ runId, jobId }: RunOfJob): string {
  return `${runId} ${jobId}`;
}

/** A life that was killed in the middle of writing leaves its new file behind; nobody else writes there. */
async function removeHalfWritten(file: string): Promise<void> {
  const names = await readdir(dirname(file)).catch(() => []);
  const halves = names.filter((name) => name.startsWith(`${basename(file)}.`) && /\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.all(halves.map((name) => rm(join(dirname(file), name), { force: true })));
}

async function readIntents(
  file: string,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<{ intents: readonly Intent[]; lost: boolean }> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT")
      log.error({ file, error: describeError(error) }, "lock intents cannot be read");
    const outdated = await readFile(outdatedNameOf(file), "utf8").then(parseIntents, () => undefined);
    return { intents: outdated ?? [], lost: true };
  }
  const intents = parseIntents(text);
  if (intents !== undefined) return { intents, lost: false };
  const aside = `${file}.broken-${clock.now()}`;
  const moved = await rename(file, aside).then(() => aside, describeError);
  log.error({ file, moved }, "lock intents are damaged and were moved aside: own locks are told by their owner");
  return { intents: [], lost: true };
}

import { appendFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

export interface StormWriters {
  /** How many writes there were so far. */
  readonly writes: number;
  /** Resolves when the last of them is done. */
  stop(): Promise<void>;
}

/**
 * Writers that go on until they are stopped, so that files change while they are synced: each appends to one file,
 * overwrites another in place, and saves a third by renaming, a few times each second.
 */
export function startStormWriters(tree: string, count: number): StormWriters {
  let writes = 0;
  let stopped = false;
  const writer = async (number: number) => {
    for (let round = 0; !stopped; round += 1) {
      const content = `writer ${number}, round ${round}\n`;
      await appendFile(join(tree, `log${number}`), content);
      await writeFile(join(tree, `state${number}`), content.repeat(50 + (round % 7)));
      await writeFile(join(tree, `.saved${number}.tmp`), content.repeat(500));
      await rename(join(tree, `.saved${number}.tmp`), join(tree, `saved${number}`));
      writes += 3;
      await wait(5 + ((number * 13 + round) % 40));
    }
  };
  const all = Promise.all(Array.from({ length: count }, (_, number) => writer(number)));
  return {
    get writes() {
      return writes;
    },
    stop: async () => {
      stopped = true;
      await all;
    },
  };
}

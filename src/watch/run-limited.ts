import type { Clock } from "../base/clock.ts";

/**
 * Works off a list that may grow meanwhile, so many at a time. A disk that hangs holds as many of Node's four
 * threads: the other half is left to the rest of the program.
 */
export async function runLimited<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const atOnce = 2;
  let next = 0;
  let running = 0;
  await new Promise<void>((resolve, reject) => {
    const startMore = (): void => {
      if (running === 0 && next >= items.length) return resolve();
      for (; running < atOnce && next < items.length; next += 1) {
        running += 1;
        void work(items[next] as Item).then(() => {
          running -= 1;
          startMore();
        }, reject);
      }
    };
    startMore();
  });
}

const soonMs = 2000;

/** Resolves when the work has ended, or after a while where a disk hangs or there is too much of it. */
export async function settlesSoon(work: Promise<void> | null, clock: Clock): Promise<void> {
  let cancel = () => {};
  const isLate = new Promise<void>((resolve) => (cancel = clock.setTimer(soonMs, resolve)));
  await Promise.race([work, isLate]);
  cancel();
}

import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { awaitReceiver } from "../../src/action/csync2/await-receiver.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { waitUntil } from "../support/process-state.ts";

describe("a check while csync2's service takes files in", () => {
  /** Begins to wait, with `names` beside the database; time passes by `advance` alone. */
  async function begin(names: readonly string[], newOpts: (directory: string) => string[]) {
    const directory = await makeTempDir();
    for (const name of names) await writeFile(join(directory, name), "");
    const clock = new FakeClock();
    const abort = new AbortController();
    let isOver = false;
    const action = { opts: newOpts(directory), hostname: "Alpha" };
    const waited = awaitReceiver(action, { clock, signal: abort.signal }).then(() => void (isOver = true));
    const isWaiting = () => waitUntil("it waits", () => Promise.resolve(clock.pendingTimers === 1));
    return { directory, clock, abort, waited, isWaiting, isOver: () => isOver };
  }
  const separate = (directory: string) => ["-B", "-D", directory];

  it("begins at once when no transaction is open, whoever else has one", async () => {
    const { clock, waited } = await begin(["alpha.db3", "beta.db3", "beta.db3-journal"], separate);
    await waited;
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ["-D DIR", separate],
    ["-DDIR", (directory: string) => [`-D${directory}`]],
  ])("waits for the commit (%s)", async (_name, opts) => {
    const { directory, clock, waited, isWaiting, isOver } = await begin(["alpha_web.db3-journal"], opts);
    await isWaiting();
    await clock.advance(50);
    await isWaiting();
    expect(isOver()).toBe(false);
    await rm(join(directory, "alpha_web.db3-journal"));
    await clock.advance(50);
    await waited;
  });

  it("goes on after a quarter of a minute, and at once when it is to stop", async () => {
    const stuck = await begin(["alpha.db3-journal"], separate);
    await stuck.isWaiting();
    await stuck.clock.advance(50);
    await stuck.isWaiting();
    stuck.clock.suspend(15_000);
    await stuck.clock.advance(50);
    await stuck.waited;
    const stopped = await begin(["alpha.db3-journal"], separate);
    await stopped.isWaiting();
    stopped.abort.abort();
    await stopped.waited;
    expect([stuck.isOver(), stopped.isOver()]).toEqual([true, true]);
  });
});

import { mkdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { escapedChanges } from "../../src/action/csync2/escaped-changes.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const { signal } = new AbortController();
const settle = () => Promise.resolve();
const [fraction, whole] = [new Date(1_700_000_000_500), new Date(1_700_000_000_000)];

describe("changes that escaped csync2", () => {
  let directory: string;
  beforeEach(async () => void (directory = await makeTempDir()));

  async function write(name: string, time: Date): Promise<string> {
    await writeFile(join(directory, name), "text");
    await utimes(join(directory, name), time, time);
    return join(directory, name);
  }

  it("may be in files, but not in those whose time csync2 has set, nor in what it compares as a whole", async () => {
    const own = await write("own", fraction);
    const others = [await write("received", whole), join(directory, "directory"), join(directory, "link")];
    await mkdir(join(directory, "directory"));
    await symlink("own", join(directory, "link"));
    const clock = new FakeClock(Date.now() + 60_000);
    expect(await escapedChanges([own, ...others, join(directory, "gone")], { clock, signal, settle })).toEqual([own]);
    expect(await escapedChanges([], { clock, signal, settle })).toEqual([]);
  });

  it("are not in a file that csync2 was just receiving", async () => {
    const [own, received] = [await write("own", fraction), await write("received", fraction)];
    const clock = new FakeClock((await stat(received)).ctimeMs);
    const escaped = escapedChanges([own, received], { clock, signal, settle });
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await utimes(received, whole, whole);
    await clock.advance(3000);
    expect(await escaped).toEqual([own]);
  });

  it("are left to the next run in a file that changes again", async () => {
    const [own, busy] = [await write("own", fraction), await write("busy", fraction)];
    const clock = new FakeClock((await stat(busy)).ctimeMs);
    const escaped = escapedChanges([own, busy], { clock, signal, settle });
    await expect.poll(() => clock.pendingTimers).toBe(1);
    // The kernel's time of a change goes on in steps of a few milliseconds.
    const { ctimeMs } = await stat(busy);
    const changeAgain = async () => (await stat(await write("busy", fraction))).ctimeMs;
    await expect.poll(changeAgain, { interval: 5 }).not.toBe(ctimeMs);
    await clock.advance(3000);
    expect(await escaped).toEqual([own]);
  });
});

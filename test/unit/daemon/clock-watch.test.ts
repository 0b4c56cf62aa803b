import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createClockWatch } from "../../../src/daemon/clock-watch.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const day = 86_400_000;
const decade = 3652 * day;
const farAhead = /^the clock is far ahead of when it was last seen: /;

async function setUp() {
  const file = join(await makeTempDir(), "state", "clock-test.json");
  const clock = new FakeClock("2026-03-01T00:00:00Z");
  const log = createMemoryLog();
  const open = (newest: number | null = null) => {
    const watch = createClockWatch({ file, clock, log });
    watch.begin(() => newest);
    // Nothing may still be written when the directory is removed.
    onTestFinished(() => watch.close());
    return watch;
  };
  const content = async () => JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  return { file, clock, log, open, content, start: clock.now() };
}

describe("the time last seen", () => {
  it("outlives the director", async () => {
    const { clock, open, content, start, log } = await setUp();
    await open().close();
    expect(await content()).toEqual({ v: 1, believed: start, strangeSince: null });
    clock.jumpWallClock(decade);
    const second = open();
    expect(second.believedNow()).toBe(start);
    await second.close();
    expect(await content()).toEqual({ v: 1, believed: start, strangeSince: start + decade });
    expect(log.messages()).toEqual([expect.stringMatching(farAhead)]);
  });

  it("is not that of a clock that two lives of one boot found far ahead, minutes apart", async () => {
    const { clock, open, start } = await setUp();
    clock.bootId = "one";
    await open().close();
    clock.jumpWallClock(decade);
    await open().close();
    clock.jumpWallClock(8 * day);
    const third = open();
    expect(third.believedNow()).toBe(start);
    await third.close();
    // It goes on as the one before did: that is a week, by both clocks.
    await clock.advance(7 * day);
    expect(open().believedNow()).toBe(clock.now());
  });

  it("is not that of two wrong clocks of two boots, years apart", async () => {
    const { clock, open, start } = await setUp();
    for (const [index, leap] of [0, decade, decade / 10].entries()) {
      clock.bootId = `boot ${index}`;
      clock.jumpWallClock(leap);
      const watch = open();
      expect(watch.believedNow()).toBe(start);
      await watch.close();
    }
    // Where the machine is started every quarter, the second start shows that the clock went on.
    clock.bootId = "another";
    clock.jumpWallClock(92 * day);
    expect(open().believedNow()).toBeGreaterThan(start + decade);
  });

  it("is measured from over the lives of one boot: a run once a season is no leap", async () => {
    const { clock, open, log } = await setUp();
    clock.bootId = "one";
    for (let run = 0; run < 3; run += 1) {
      const watch = open();
      expect(watch.believedNow()).toBe(clock.now());
      await watch.close();
      await clock.advance(92 * day);
    }
    expect(log.messages()).toEqual([]);
  });

  it("is written once a day, and not whenever somebody asks", async () => {
    const { clock, open, content, start } = await setUp();
    const watch = open();
    await vi.waitFor(async () => expect(await content()).toMatchObject({ believed: start }), { timeout: 30_000 });
    for (let hours = 1; hours < 24; hours += 1) {
      await clock.advance(day / 24);
      watch.believedNow();
    }
    await watch.close();
    expect(await content()).toMatchObject({ believed: start });
    await clock.advance(day / 24);
    expect(watch.believedNow()).toBe(start + day);
    await watch.close();
    expect(await content()).toMatchObject({ believed: start + day });
  });

  it("is written at the end of a director that nobody asked for long", async () => {
    const { clock, open, content, start, log } = await setUp();
    const watch = open();
    await clock.advance(100 * day);
    await watch.close();
    expect(await content()).toMatchObject({ believed: start + 100 * day });
    expect(open().believedNow()).toBe(clock.now());
    expect(log.lines).toEqual([]);
  });

  it("sets no timer", async () => {
    const { clock, open } = await setUp();
    const watch = open();
    watch.believedNow();
    expect(clock.pendingTimers).toBe(0);
    await watch.close();
  });
});

describe("the log", () => {
  it("says once in each life what the clock says, when it was last seen, and what to do; and when that is over", async () => {
    const { clock, open, log, start } = await setUp();
    const watch = open();
    clock.jumpWallClock(decade);
    watch.believedNow();
    watch.believedNow();
    expect(log.lines).toEqual([
      {
        level: "warn",
        message: expect.stringMatching(farAhead),
        fields: { clock: "2036-02-29T00:00:00Z", lastSeen: "2026-03-01T00:00:00Z", until: "2036-03-07T00:00:00Z" },
      },
    ]);
    await watch.close();
    const second = open();
    expect(log.messages("warn")).toHaveLength(2);
    clock.jumpWallClock(-decade);
    expect(second.believedNow()).toBe(start);
    second.believedNow();
    expect(log.messages("info")).toEqual(["the clock is not in doubt any more"]);
    expect(log.messages("warn")).toHaveLength(2);
  });
});

describe("who asks for the doubt", () => {
  it("is told since when, what was seen before, and until when; and nothing when the clock is right", async () => {
    const { clock, open, start } = await setUp();
    const watch = open();
    expect(watch.doubt()).toBeNull();
    clock.jumpWallClock(decade);
    const doubt = { since: start + decade, lastSeenAt: start, until: start + decade + 7 * day };
    expect(watch.doubt()).toEqual(doubt);
    await clock.advance(day);
    expect(watch.doubt()).toEqual(doubt);
    clock.jumpWallClock(-decade);
    expect(watch.doubt()).toBeNull();
  });

  it("is told of no clock that has only gone back", async () => {
    const { clock, open } = await setUp();
    const watch = open();
    clock.jumpWallClock(-decade);
    expect(watch.doubt()).toBeNull();
  });

  it("is told that nobody knows when the clock was last seen, until a week is over", async () => {
    const { file, clock, open, start } = await setUp();
    await mkdir(join(file, ".."));
    await writeFile(file, "{}");
    const watch = open();
    expect(watch.doubt()).toEqual({ since: start, lastSeenAt: null, until: start + 7 * day });
    await clock.advance(7 * day);
    expect(watch.doubt()).toBeNull();
  });
});

describe("an instance that was never watched before", () => {
  it("begins with the newest time that its history knows", async () => {
    const { open, log, start } = await setUp();
    expect(open(start - decade).believedNow()).toBe(start - decade);
    expect(log.messages("warn")).toEqual([expect.stringMatching(farAhead)]);
  });

  it("takes no time of the future for seen", async () => {
    const { open, clock, start } = await setUp();
    const watch = open(start + decade);
    clock.jumpWallClock(decade);
    expect(watch.believedNow()).toBe(start);
  });

  it("believes the clock where nothing is known", async () => {
    const { open, log, start } = await setUp();
    expect(open().believedNow()).toBe(start);
    expect(log.lines).toEqual([]);
  });
});

const damaged = [
  ...[
    "",
    "{}",
    "null",
    '{"v":1,"believed":',
    '{"v":2,"believed":1,"strangeSince":null}',
    '{"v":1,"strangeSince":null}',
  ],
  ...['{"v":1,"believed":"2026","strangeSince":null}', '{"v":1,"believed":1e300,"strangeSince":null}', "\0".repeat(80)],
];

describe("a file that cannot be read", () => {
  it.each(damaged)("is no reason to delete anything for a week: %j", async (text) => {
    const { file, clock, open, log, content, start } = await setUp();
    await mkdir(join(file, ".."));
    await writeFile(file, text);
    // The history may have been written by the wrong clock: it is not asked.
    const first = open(start);
    expect(first.believedNow()).toBe(0);
    await first.close();
    expect(log.messages("error")).toEqual(["the file that tells when the clock was last seen cannot be read"]);
    expect(log.messages("warn")).toEqual([expect.stringMatching(/^nobody knows when the clock was last seen/)]);
    expect(await content()).toEqual({ v: 1, believed: null, strangeSince: start });
    await clock.advance(6 * day);
    const second = open();
    expect(second.believedNow()).toBe(0);
    await clock.advance(day);
    expect(second.believedNow()).toBe(clock.now());
    await second.close();
    expect(log.messages("error")).toHaveLength(1);
    expect(await content()).toEqual({ v: 1, believed: clock.now(), strangeSince: null });
  });

  it("is told of, and the doubt is kept in memory while nothing can be put in its place", async () => {
    const { file, clock, open, log } = await setUp();
    await mkdir(join(file, "in the way"), { recursive: true });
    const watch = open();
    expect(watch.believedNow()).toBe(0);
    await watch.close();
    watch.believedNow();
    await watch.close();
    expect(log.messages("error")).toEqual([
      "the file that tells when the clock was last seen cannot be read",
      "when the clock was last seen cannot be written down",
    ]);
    await rm(file, { recursive: true });
    await clock.advance(7 * day);
    expect(watch.believedNow()).toBe(clock.now());
    await watch.close();
    await expect(readFile(file, "utf8")).resolves.toContain(`"believed":${clock.now()}`);
  });

  it("of another account is one of them", async (context) => {
    if (process.getuid?.() === 0) return context.skip("root may read everything");
    const { file, open, log } = await setUp();
    await open().close();
    await chmod(file, 0);
    expect(open().believedNow()).toBe(0);
    expect(log.lines[0]?.fields["error"]).toContain("EACCES");
  });
});

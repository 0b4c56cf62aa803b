import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { AbortReason } from "../../src/base/abort.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { createLogger } from "../../src/daemon/logging.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeInstance } from "../support/instance.ts";

const hours = Math.max(12, Number(process.env["FLAT_MEMORY_HOURS"] ?? 24));
/** By then more than a hundred runs have ended; what is loaded or opened once is there. */
const settledHours = 9;
/** Nothing that is kept for good grows by more. */
const mostGrowth = 1.05;

describe("the memory of a director", () => {
  test(
    `after ${hours} simulated hours of schedules and polls is what it was after the first hundred runs`,
    { timeout: 120_000 + hours * 120_000 },
    async () => {
      const instance = await makeInstance(({ path }) => ({
        logging: [{ type: "file", path: "/dev/null", level: "debug", format: "json" }],
        history: { keep_runs: 100 },
        jobs: [
          {
            ...{ id: "often", type: "local", schedule: "*/5 * * * *" },
            actions: [{ action: "command", id: "nothing", command: "/bin/true" }],
          },
          {
            ...{ id: "waits", type: "local", schedule: "1 * * * *" },
            blocks_on: [{ type: "local", path: path("locks", "theirs"), timeout: 3000, wait_time: 60 }],
            actions: [{ action: "command", id: "nothing", command: "/bin/true" }],
          },
        ],
      }));
      await writeFile(instance.path("locks", "theirs"), "somebody else's\n");
      const { config } = await loadConfig(instance.configFile, { env: process.env });
      const log = createLogger(config.logging, { fields: {} });
      const clock = new FakeClock("2026-03-01T00:00:00Z");
      const daemon = await startDaemon({
        ...{ config, env: process.env, clock, log, version: "test", dryRun: false },
        onRunNow: () => () => undefined,
      });
      const ended = { runs: 0, looks: 0 };
      daemon.events.on("run:finished", () => void (ended.runs += 1));
      daemon.events.on("job:unblocked", () => void (ended.looks += 1));
      const early: Memory[] = [];
      const late: Memory[] = [];
      try {
        for (let hour = 1; hour <= hours; hour += 1) {
          for (let minute = 0; minute < 60; minute += 1) {
            for (let part = 0; part < 6; part += 1) {
              await clock.advance(10_000);
              await untilChildless();
            }
            if (minute % 5 !== 0) continue;
            await instance.scrape();
            if (hour === settledHours) early.push(memoryNow());
            if (hour === hours) late.push(memoryNow());
          }
          if (hour === settledHours - 1) expect(ended.runs).toBeGreaterThanOrEqual(100);
        }
      } finally {
        await stop(daemon, clock);
      }
      const [before, after] = [medians(early), medians(late)];
      console.log(
        `hour ${settledHours}: resident ${megabytes(before.resident)} MB, heap ${megabytes(before.heap)} MB; hour ${hours}: ${megabytes(after.resident)} MB, ${megabytes(after.heap)} MB; ${ended.runs} runs`,
      );
      expect(ended.runs).toBeGreaterThanOrEqual(hours * 12);
      expect(ended.looks).toBeGreaterThanOrEqual(hours - 1);
      expect(after.resident).toBeLessThan(before.resident * mostGrowth);
      expect(after.heap).toBeLessThan(before.heap * mostGrowth);
    },
  );
});

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Of this process, which the director runs in; bytes. */
interface Memory {
  readonly resident: number;
  readonly heap: number;
}

/** After everything that nobody holds any more is gone. */
function memoryNow(): Memory {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  for (let time = 0; time < 3; time += 1) collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { resident: rss, heap: heapUsed };
}

function medians(samples: readonly Memory[]): Memory {
  const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  return { resident: middle(samples.map(({ resident }) => resident)), heap: middle(samples.map(({ heap }) => heap)) };
}

/** No program runs any more for the director in this process: its time may go on. */
async function untilChildless(): Promise<void> {
  while (childrenOfMine().length > 0) await wait(1);
}

function childrenOfMine(): string[] {
  return readdirSync("/proc/self/task")
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" "))
    .filter((pid) => pid !== "");
}

/** What waits at the stop waits by the clock of the test. */
async function stop(daemon: Daemon, clock: FakeClock): Promise<void> {
  let isOver = false;
  const stopped = daemon.stop(new AbortReason("shutdown", "the test is over")).finally(() => (isOver = true));
  while (!isOver) {
    await clock.advance(1000);
    await wait(5);
  }
  await stopped;
}

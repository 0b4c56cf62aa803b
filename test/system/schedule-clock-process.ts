import { systemClock } from "../../src/base/clock.ts";
import { Emitter } from "../../src/base/emitter.ts";
import { silentLogger } from "../../src/base/logger.ts";
import type { DirectorEvents } from "../../src/model/events.ts";
import { createCronTrigger } from "../../src/trigger/cron-trigger.ts";
import { createMemoryLedger } from "../../src/trigger/schedule-ledger.ts";
import { planSchedules } from "../../src/trigger/schedule-plan.ts";
import { sketchConfig } from "../unit/trigger/schedule-fixture.ts";

/** A process of its own for `schedule-clock.test.ts`: every line it writes is one thing that happened. */
const write = (line: string) => void process.stdout.write(`${line}\n`);

const config = sketchConfig({ schedules: ["0 2 * * *"], scheduling: { onMissed: "once" }, jobs: [{ id: "home" }] });

const events = new Emitter<DirectorEvents>((error) => write(`listener failed: ${error.message}`));
events.on("schedule:next", ({ next }) => write(`next ${next === null ? "never" : new Date(next).toISOString()}`));
events.on("schedule:missed", ({ scheduledFor }) => write(`missed ${new Date(scheduledFor).toISOString()}`));

createCronTrigger({
  plans: planSchedules(config, { hostname: "laptop01" }),
  submit: ({ cause }) => {
    if (cause.kind !== "schedule") return;
    write(`run for ${new Date(cause.scheduledFor).toISOString()}${cause.missed ? ", missed" : ""}`);
  },
  ledger: createMemoryLedger(),
  clock: systemClock,
  events,
  log: { ...silentLogger, warn: (_, message) => write(message) },
}).start();

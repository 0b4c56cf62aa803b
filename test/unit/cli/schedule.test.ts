import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import type { CommandContext } from "../../../src/cli/command-context.ts";
import { newScheduleCommand, runSchedule } from "../../../src/cli/commands/schedule.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const config = `
rsync_id: laptop01
cron_schedule: 30 2 * * *
timezone: Europe/Berlin
jobs:
  - id: home
    type: local
    actions: [{ action: sync, id: copy, source: /home/, dest: /backup/home/, opts: [-a] }]
  - id: mail
    type: local
    schedule: ["0 6 * * MON-FRI", "0 9 13 * SAT"]
    timezone: UTC
    jitter: 10m
    on_missed: once
    starting_deadline: 6h
    actions: [{ action: sync, id: copy, source: /var/mail/, dest: /backup/mail/, opts: [-a] }]
  - id: docs
    type: local
    actions: [{ action: sync, id: copy, source: /srv/docs/, dest: /backup/docs/, opts: [-a] }]
`;

function capture(env: CommandContext["env"] = {}) {
  const written = { out: "", finished: [] as number[] };
  const context: CommandContext = {
    env,
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => expect.fail(`nothing belongs on stderr: ${text}`) },
    finish: (code) => void written.finished.push(code),
  };
  return { written, context };
}

async function show(text: string, options: { count: number; json?: boolean }) {
  const file = join(await makeTempDir(), "laptop.yaml");
  await writeFile(file, text);
  const { written, context } = capture();
  const host = { now: Date.parse("2026-10-24T12:00:00Z"), hostname: "backup01" };
  await runSchedule({ config: file, ...options }, context, host);
  return written;
}

test("shows every schedule's jobs, zone, jitter and next times with their offset, and the warnings", async () => {
  const { out, finished } = await show(config, { count: 2 });
  expect(out).toMatchInlineSnapshot(`
    "home, docs
      Europe/Berlin
    NEXT                                    SCHEDULE
    2026-10-25 02:30:00 +02:00  in 12h 30m  30 2 * * *
    2026-10-26 02:30:00 +01:00  in 1d 13h   30 2 * * *

    mail
      UTC; jitter 10m, here +1m; missed times are made up once for 6h
    NEXT                                   SCHEDULE
    2026-10-26 06:01:00 +00:00  in 1d 18h  0 6 * * MON-FRI
    2026-10-27 06:01:00 +00:00  in 2d 18h  0 6 * * MON-FRI

    warning: home, docs: "30 2 * * *": 2026-10-25T02:30 comes twice in Europe/Berlin: it runs the first time only
    warning: home, docs: "30 2 * * *": 2027-03-28T02:30 does not exist in Europe/Berlin: it runs right after the change, at 2027-03-28 03:00:00 +02:00
    warning: mail: "0 9 13 * SAT": both day fields are given: it runs on days that match either of them, not only on those that match both
    "
  `);
  expect(finished).toEqual([]);
});

test("--json has the same as data", async () => {
  const { out } = await show(config, { count: 1, json: true });
  const { plans, warnings } = JSON.parse(out) as { plans: unknown[]; warnings: unknown[] };
  expect(plans).toEqual([
    {
      key: "instance",
      jobs: ["home", "docs"],
      schedules: ["30 2 * * *"],
      timezone: "Europe/Berlin",
      cronDialect: "linux",
      jitterMs: 0,
      offsetMs: 0,
      onMissed: "skip",
      startingDeadlineMs: null,
      times: [
        {
          schedule: "30 2 * * *",
          scheduledFor: "2026-10-25T00:30:00.000Z",
          startsAt: "2026-10-25T00:30:00.000Z",
        },
      ],
    },
    expect.objectContaining({ key: "job:mail", jobs: ["mail"], jitterMs: 600_000, startingDeadlineMs: 21_600_000 }),
  ]);
  expect(warnings).toContainEqual({
    kind: "clock-fold",
    jobs: ["home", "docs"],
    schedule: "30 2 * * *",
    message: "2026-10-25T02:30 comes twice in Europe/Berlin: it runs the first time only",
  });
});

test("shows what the loader warns of too, with the place in the file", async () => {
  const text = config.replace("0 9 13 * SAT", "0 9 31 2 *");
  const { out } = await show(text, { count: 1 });
  const place = "laptop.yaml:11:35: jobs[1].schedule[1]";
  expect(out.match(/never runs/g)).toHaveLength(1);
  expect(out).toContain(`${place}: "0 9 31 2 *" never runs: there is no such day in any year\nwarning: home, docs:`);
  const { configWarnings, warnings } = JSON.parse((await show(text, { count: 1, json: true })).out) as {
    configWarnings: unknown[];
    warnings: { kind: string }[];
  };
  expect(configWarnings).toEqual([
    expect.objectContaining({ line: 11, column: 35, path: "jobs[1].schedule[1]", message: expect.any(String) }),
  ]);
  expect(warnings.map(({ kind }) => kind)).toEqual(["clock-fold", "clock-gap"]);
});

test("says so when nothing is scheduled", async () => {
  const times = /^(?:cron_schedule| {4}(?:schedule|timezone|jitter|on_missed|starting_deadline)):.*$/gm;
  const { out } = await show(config.replaceAll(times, ""), { count: 3 });
  expect(out).toBe(
    "no schedules\n\nwarning: home, mail, docs: no schedule runs these jobs: they run on SIGHUP or by hand only\n",
  );
});

test("names the jobs that changes start", async () => {
  const { out } = await show(
    `
rsync_id: laptop
jobs:
  - id: www
    type: local
    watch: { paths: [/srv/www/static] }
    actions: [{ action: sync, id: www, source: /srv/www/, dest: /mnt/www/, rsync: { archive: true } }]
`,
    { count: 3 },
  );
  expect(out).toBe("no schedules\n\nwww\n  runs when something changes in /srv/www/static\n");
});

test("a configuration that is not there is the operator's error", async () => {
  const { context } = capture();
  await expect(runSchedule({ config: "/nowhere/a.yaml", count: 3 }, context)).rejects.toThrow(OperatorError);
  await expect(runSchedule({ count: 3 }, context)).rejects.toThrow("no configuration given");
});

describe("--count", () => {
  test.each(["0", "-1", "1001", "many"])("%s is refused", async (count) => {
    const { context } = capture();
    const command = newScheduleCommand(context)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await expect(command.parseAsync(["--count", count], { from: "user" })).rejects.toThrow(
      "give a number from 1 to 1000",
    );
  });

  test("is three when it is not given", async () => {
    const file = join(await makeTempDir(), "laptop.yaml");
    await writeFile(file, config);
    const { written, context } = capture({ RSYNCDIRECTOR_CONFIG: file });
    await newScheduleCommand(context).parseAsync(["--json"], { from: "user" });
    const { plans } = JSON.parse(written.out) as { plans: { times: unknown[] }[] };
    expect(plans.map((plan) => plan.times.length)).toEqual([3, 3]);
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CommandContext } from "../../../src/cli/command-context.ts";
import { runConfigCheck } from "../../../src/cli/commands/config-check.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

async function check(text: string) {
  const file = join(await makeTempDir(), "x.yaml");
  await writeFile(file, text, { mode: 0o600 });
  const written = { out: "", err: "", finished: [] as number[] };
  const context: CommandContext = {
    env: {},
    stdout: { write: (part) => void (written.out += part.replaceAll(file, "x.yaml")) },
    stderr: { write: (part) => void (written.err += part.replaceAll(file, "x.yaml")) },
    finish: (code) => void written.finished.push(code),
  };
  await runConfigCheck({ files: [file] }, context, { now: Date.parse("2026-10-24T12:00:00Z") });
  return { ...written, err: written.err.trimEnd().split("\n") };
}

const action = "actions: [{ action: sync, id: s, source: /a, dest: /b, opts: [-a] }]";
const odd = `
rsync_id: x
cron_schedule: ["0 0 31 2 *", "*/5 * * * 1-5"]
timezone: Europe/Berlin
jitter: 10m
jobs:
  - { id: home, type: local, ${action} }
  - { id: mail, type: local, schedule: 30 2 13 * FRI, timezone: UTC, ${action} }
`;

test("config check names everything that is odd about the schedules, each once, and the file can be used", async () => {
  const { out, err, finished } = await check(odd);
  expect({ out, finished }).toEqual({ out: "x.yaml: OK\n", finished: [] });
  expect(err).toEqual([
    'warning: x.yaml:3:17: cron_schedule[0]: "0 0 31 2 *" never runs: there is no such day in any year',
    expect.stringMatching(/^warning: x.yaml: home: "\*\/5 \* \* \* 1-5": numeric weekdays count from 0 = Sunday here/),
    "warning: x.yaml: home: the jitter (10m) is longer than the shortest interval (5m)",
    expect.stringMatching(/^warning: x.yaml: mail: "30 2 13 \* FRI": both day fields are given/),
  ]);
});

test("config check names clock changes and jobs without a schedule, the latter once", async () => {
  const { err } = await check(`
rsync_id: x
timezone: Europe/Berlin
jobs:
  - { id: loose, type: local, ${action} }
  - { id: mail, type: local, schedule: 30 2 * * *, ${action} }
`);
  expect(err).toEqual([
    expect.stringContaining('mail: "30 2 * * *": 2026-10-25T02:30 comes twice in Europe/Berlin'),
    expect.stringContaining('mail: "30 2 * * *": 2027-03-28T02:30 does not exist in Europe/Berlin'),
    "warning: x.yaml: loose: no schedule runs these jobs: they run on SIGHUP or by hand only",
  ]);
  const { err: without } = await check(`rsync_id: x\njobs: [{ id: a, type: local, ${action} }]\n`);
  expect(without).toEqual(["warning: x.yaml: a: no schedule runs these jobs: they run on SIGHUP or by hand only"]);
});

test("config check says nothing of numeric weekdays once the file says its dialect", async () => {
  const text = odd.replace("0 0 31 2 *", "0 0 1 2 *").replace("jitter: 10m", "cron_dialect: linux");
  const { err } = await check(text);
  expect(err).toEqual([expect.stringContaining("both day fields are given")]);
});

test("config check of a wrong file names its mistakes and the loader's warnings", async () => {
  const { out, err, finished } = await check(odd.replace("30 2 13 * FRI", "30 2 13 * 8"));
  expect({ out, finished }).toEqual({ out: "", finished: [78] });
  expect(err).toEqual([
    expect.stringContaining("never runs"),
    expect.stringMatching(
      /^x.yaml:8:40: jobs\[1\].schedule: cron expression "30 2 13 \* 8" is not valid: the day of week/,
    ),
  ]);
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importConfig } from "../../../src/config/import-config.ts";
import { inspectConfig } from "../../../src/config/load.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const job = "id: a, type: local, actions: [{ action: sync, id: s, source: /a, dest: /b, opts: [-a] }]" as const;

async function write(...lines: string[]): Promise<string> {
  const file = join(await makeTempDir(), "x.yaml");
  await writeFile(file, ["rsync_id: x", ...lines].join("\n"), { mode: 0o600 });
  return file;
}

async function inspect(...lines: string[]) {
  const { config, problems, warnings } = await inspectConfig(await write(...lines), { env: {} });
  const shown = (found: typeof problems) =>
    found.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
  return { config, problems: shown(problems), warnings: shown(warnings) };
}

describe("an expression", () => {
  test("is read in the dialect of the instance, at every place where one can stand", async () => {
    const { config, problems } = await inspect(
      "cron_schedule: 5/15 * * * *",
      "cron_dialect: apscheduler",
      "defaults: { schedule: 0 0 last * * }",
      `jobs: [{ ${job}, schedule: [5/15 8-17 * * 0-4] }]`,
    );
    expect(problems).toEqual([]);
    expect(config?.jobs[0]?.schedules).toEqual(["5/15 8-17 * * 0-4"]);
  });

  test("may have 7 for Sunday in Linux cron's dialect, not in the original's", async () => {
    const lines = [`cron_schedule: ["0 0 * * 7"]`, `jobs: [{ ${job} }]`];
    expect(await inspect(...lines)).toMatchObject({ problems: [], warnings: [] });
    const { problems } = await inspect(...lines, "cron_dialect: apscheduler");
    expect(problems).toEqual([
      '2:17 cron_schedule[0]: cron expression "0 0 * * 7" is not valid: the day of week "7" is not valid ' +
        "with cron_dialect apscheduler (0-6, 0 is Monday, or MON-SUN)",
    ]);
  });

  test("that only the original reads is refused with a word about cron_dialect, unless that was chosen", async () => {
    const lines = ["cron_schedule: 5/15 * * * *", `jobs: [{ ${job} }]`];
    const hint = /^2:16 cron_schedule: .* cron_dialect: apscheduler reads it as the Python original does$/;
    expect((await inspect(...lines)).problems).toEqual([expect.stringMatching(hint)]);
    expect((await inspect(...lines, "cron_dialect: linux")).problems).toEqual([expect.not.stringMatching("dialect")]);
  });

  test("of a day that never comes is a warning, once, and the configuration can be used", async () => {
    const { config, problems, warnings } = await inspect(
      "timezone: Europe/Berlin",
      `cron_schedule: ["0 1 * * *", "0 0 31 2 *"]`,
      `jobs: [{ ${job} }]`,
    );
    expect(config?.schedules).toEqual(["0 1 * * *", "0 0 31 2 *"]);
    expect(problems).toEqual([]);
    expect(warnings).toEqual(['3:30 cron_schedule[1]: "0 0 31 2 *" never runs: there is no such day in any year']);
  });
});

describe("what is said about times where no schedule follows it", () => {
  const cron = "cron_schedule: 0 1 * * *";
  const unused = (why: string) => `is not used: ${why}. Say it at the top, for cron_schedule`;

  test("is a warning, key by key, at a job without a schedule of its own", async () => {
    const { problems, warnings } = await inspect(
      cron,
      "jobs:",
      `- { ${job}, timezone: UTC, jitter: 5m, on_missed: once, starting_deadline: 6h }`,
      `- { ${job.replace("id: a", "id: b")}, schedule: 0 2 * * *, jitter: 5m }`,
    );
    expect(problems).toEqual([]);
    const keys = ["timezone", "jitter", "on_missed", "starting_deadline"];
    const told = keys.map((key) => expect.stringMatching(new RegExp(`^4:\\d+ jobs\\[0\\]\\.${key}: is not used: `)));
    expect(warnings).toEqual(told);
    expect(warnings[0]).toContain(unused("the job has no schedule of its own"));
  });

  test("is a warning in defaults when no job has a schedule of its own", async () => {
    const { warnings } = await inspect(cron, "defaults: { jitter: 5m }", `jobs: [{ ${job} }]`);
    expect(warnings).toEqual([`3:13 defaults.jitter: ${unused("no job has a schedule of its own")}`]);
  });

  test.each([
    [
      "a job has a schedule that defaults give it",
      ["defaults: { schedule: 0 2 * * * }", `jobs: [{ ${job}, jitter: 1m }]`],
    ],
    ["a job follows defaults", ["defaults: { jitter: 1m }", `jobs: [{ ${job}, schedule: 0 2 * * * }]`]],
    ["they stand at the top", ["jitter: 1m", cron, `jobs: [{ ${job} }]`]],
  ])("is no warning where %s", async (_where, lines) => {
    expect(await inspect(...lines)).toMatchObject({ problems: [], warnings: [] });
  });
});

test("a configuration says whether its dialect was chosen", async () => {
  const lines = ["cron_schedule: 0 1 * * *", `jobs: [{ ${job} }]`];
  const chosen = async (...more: string[]) => {
    const { config } = await inspect(...lines, ...more);
    return [config?.scheduling, config?.jobs[0]?.scheduling].map((scheduling) => scheduling?.dialectChosen);
  };
  expect(await chosen()).toEqual([false, false]);
  expect(await chosen("cron_dialect: linux")).toEqual([true, true]);
});

describe("an import", () => {
  const dialectOf = async (expression: string) => {
    const file = await write(`cron_schedule: ${JSON.stringify(expression)}`, `jobs: [{ ${job} }]`);
    return (await importConfig(file)).tree["cron_dialect"];
  };

  test.each(["0 2 * * 1-5", "5/15 * * * *", "0 0 last * *", "0 3 13 * fri"])(
    "keeps the meaning of %s",
    async (text) => {
      expect(await dialectOf(text)).toBe("apscheduler");
    },
  );

  test.each(["0 2 * * mon-fri", "*/5 * * * *", "0 2 * * 7", "61 * * * *"])("adds nothing for %s", async (text) => {
    expect(await dialectOf(text)).toBeUndefined();
  });
});

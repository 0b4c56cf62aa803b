import { spawnSync } from "node:child_process";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { makeTrackedTree } from "../support/tracked-tree.ts";

const logrotate = findProgram("logrotate", `${process.env["PATH"]}:/usr/sbin:/sbin`);

it("follows ten thousand files", async () => {
  const fixture = await makeTrackedTree();
  const names = Array.from({ length: 10_000 }, (_, index) => `file-${index}`);
  const rewrite = async (content: string) => {
    for (const name of names) await writeFile(join(fixture.source, name), `${name} ${content}\n`);
  };
  await rewrite("one");
  await fixture.sync([]);
  expect(await fixture.files("current/job/copy")).toHaveLength(10_000);
  await rewrite("second");
  expect(await fixture.sync(names)).toBe(10_000);
  expect(await fixture.changes()).toHaveLength(10_000);
  expect((await fixture.log()).match(/^Entry: /gm)).toHaveLength(10_000);
  expect(await fixture.files("staging")).toEqual([]);
});

it.each([["create 0600"], ["copytruncate"]])(
  "shares its log with logrotate (%s): each change is there once",
  async (how) => {
    if (logrotate === undefined) return console.log("not tried: logrotate is not installed");
    const fixture = await makeTrackedTree({ settings: { logMaxSize: Number.MAX_SAFE_INTEGER } });
    const config = join(fixture.directory, "logrotate.conf");
    const options = ["rotate 100", "size 1", "missingok", "compress", "delaycompress", how];
    await writeFile(config, `${fixture.settings.logFile} {\n${options.map((line) => `  ${line}\n`).join("")}}\n`);
    await chmod(config, 0o600);
    await writeFile(join(fixture.source, "a"), "0\n");
    await fixture.sync([]);
    const rounds = 12;
    for (let round = 1; round <= rounds; round += 1) {
      await writeFile(join(fixture.source, "a"), `${round}\n`.repeat(round));
      await fixture.sync(["a"]);
      if (round % 3 !== 0) continue;
      const state = join(fixture.directory, "state");
      const result = spawnSync(logrotate, ["--force", "--state", state, config], { encoding: "utf8" });
      expect([result.status, result.stderr]).toEqual([0, ""]);
    }
    const logs = (await readdir(fixture.backup)).filter((name) => name.startsWith("changes.log"));
    expect(logs.some((name) => name.endsWith(".gz"))).toBe(true);
    const texts = await Promise.all(
      logs.map(async (name) => {
        const content = await readFile(join(fixture.backup, name));
        return (name.endsWith(".gz") ? gunzipSync(content) : content).toString();
      }),
    );
    const runs = texts.flatMap((text) => [...text.matchAll(/^Run: {5}run-(\d+)$/gm)].map(([, run]) => Number(run)));
    expect(runs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rounds }, (_, index) => index + 2));
  },
);

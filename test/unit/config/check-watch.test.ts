import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { copyFixtures, fixtureEnv } from "../../support/config-fixtures.ts";

// What is refused is in test/fixtures/config/invalid/watch-*.yaml.

async function warningsOf(name: string): Promise<string[]> {
  const { warnings } = await loadConfig(join(await copyFixtures("valid"), name), { env: fixtureEnv });
  return warnings.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

test("a watched job that may not do what was meant is told so, each with its line", async () => {
  const expected = [
    /^2 state_dir: \/srv\/www\/\.state lies in \/srv\/www\/, which job www watches: .* Name it in watch\.exclude$/,
    /^5 logging\[1\]\.path: ~\/site\/director\.log lies in \/home\/tester\/site, which job www watches/,
    /^6 logging\[2\]\.path: \/srv\/www\/cache\/director\.log lies in \/srv\/www\/, which job www watches/,
    // Job www watches other endings, and the first two are excluded from what job quiet watches.
    /^7 logging\[3\]\.path: \/srv\/www\/director\.jsonl lies in \/srv\/www\/, which job quiet watches/,
    /^12 jobs\[0\]\.concurrency: with watch, changes end the sync that is running/,
    /^14 jobs\[0\]\.watch\.max_batch: .*\(50000\) is more than full_sync_threshold \(20000\)/,
    /^15 jobs\[0\]\.watch\.include: does nothing without exclude/,
    /^16 jobs\[0\]\.watch\.extensions\[1\]: .* did you mean "\.css"\?/,
    /^16 jobs\[0\]\.watch\.extensions\[2\]: .* did you mean "\.js"\?/,
    /^17 jobs\[0\]\.guard\.max_delete: limits nothing/,
    /^19 jobs\[0\]\.actions\[0\]\.dest: lies in \/srv\/www\/, which the job watches/,
    /^26 jobs\[0\]\.actions\[1\]\.extensions\[0\]: .* did you mean "\.md"\?/,
    /^36 jobs\[1\]\.actions\[0\]\.dest: is inside the source: without its exclude/,
    /^40 jobs\[2\]\.track_changes\.backup_dir: is inside the source \/srv\/www\//,
  ];
  expect(await warningsOf("watch-warnings.yaml")).toEqual(
    expected.map((message) => expect.stringMatching(message) as string),
  );
});

test("a watched job that is as it should be is not complained of", async () => {
  expect(await warningsOf("watched.yaml")).toEqual([]);
});

import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openIntents } from "../../src/lock/recovery/intents.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

test("a life whose disk was full is known to have left more than it wrote down", async ({ skip }) => {
  const disk = await mountTmpfs("size=64k");
  if ("why" in disk) return skip(disk.why);
  const { directory } = disk;
  const file = join(directory, "intents-test.json");
  const open = () => openIntents(file, { boot: "boot", clock: new FakeClock(), log: createMemoryLog() });
  const of = { runId: "run", jobId: "job" };
  const first = await open();
  first.begin({ ...of, locks: [{ type: "local", path: "/locks/a" }], holds: [] });
  await first.claiming({ ...of, token: "token-1" });
  await writeFile(join(directory, "filler"), Buffer.alloc(128 * 1024)).catch(() => undefined);
  await first.claiming({ ...of, token: "token-2" });

  const second = await open();
  expect(second).toMatchObject({ lost: true, earlier: [{ tokens: ["token-1"] }] });
  await rm(join(directory, "filler"));
  await second.close();
  expect(await readdir(directory)).toEqual(["intents-test.json"]);
  expect(await open()).toMatchObject({ lost: false, earlier: [{ tokens: ["token-1"] }] });
});

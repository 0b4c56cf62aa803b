import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, type TestContext } from "vitest";
import { openIntents } from "../../src/lock/recovery/intents.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { mountTmpfs } from "../support/tmpfs.ts";

const of = { runId: "run", jobId: "job" };

/** A life that has one claim on a disk that is full by now. */
async function fillDisk(skip: TestContext["skip"]) {
  const disk = await mountTmpfs("size=64k");
  if ("why" in disk) return skip(disk.why);
  const { directory } = disk;
  const open = () =>
    openIntents(join(directory, "intents-test.json"), { boot: "boot", clock: new FakeClock(), log: createMemoryLog() });
  const book = await open();
  book.begin({ ...of, locks: [{ type: "local", path: "/locks/a" }], holds: [] });
  await book.claiming({ ...of, token: "token-1" });
  await writeFile(join(directory, "filler"), Buffer.alloc(128 * 1024)).catch(() => undefined);
  return { directory, open, book };
}

test("a full disk keeps no life from writing down its claims", async ({ skip }) => {
  const { open, book } = await fillDisk(skip);
  for (const token of ["token-2", "token-3"]) await book.claiming({ ...of, token });
  expect(await open()).toMatchObject({ lost: false, earlier: [{ tokens: ["token-1", "token-2", "token-3"] }] });
});

test("a life that had more to write down than its file has room for, on a full disk, is known to have left more", async ({
  skip,
}) => {
  const { directory, open, book } = await fillDisk(skip);
  const locks = Array.from(
    { length: 100 },
    (_, index) => ({ type: "local", path: `/locks/${"x".repeat(100)}${index}` }) as const,
  );
  book.begin({ runId: "other", jobId: "job", locks, holds: [] });
  await book.claiming({ runId: "other", jobId: "job", token: "token-2" });

  const second = await open();
  expect(second).toMatchObject({ lost: true, earlier: [{ tokens: ["token-1"] }] });
  await rm(join(directory, "filler"));
  await second.close();
  expect(await readdir(directory)).toEqual(["intents-test.json"]);
  expect(await open()).toMatchObject({ lost: false, earlier: [{ tokens: ["token-1"] }] });
});

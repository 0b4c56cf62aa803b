import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readInstanceId } from "../../../src/daemon/instance-id.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

test("a pipe in place of the instance id is replaced, and the new id stays", async () => {
  const file = join(await makeTempDir(), "instance-x.id");
  execFileSync("mkfifo", [file]);
  const id = await readInstanceId(file, createMemoryLog());
  expect(await readInstanceId(file, createMemoryLog())).toBe(id);
});

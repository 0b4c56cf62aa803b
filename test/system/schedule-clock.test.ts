import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";

/** Debian's libfaketime; installed when that is possible, undefined when it is not. */
function findFaketime(): string | undefined {
  const find = () =>
    readdirSync("/usr/lib")
      .map((folder) => join("/usr/lib", folder, "faketime", "libfaketimeMT.so.1"))
      .find((path) => existsSync(path));
  const found = find();
  if (found !== undefined || process.getuid?.() !== 0) return found;
  spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "faketime"], { stdio: "ignore" });
  return find();
}

/** Starts the trigger on the system clock of a process whose wall clock can be set while it runs. */
async function startScheduleProcess(library: string, startAt: string) {
  const clockFile = join(await makeTempDir(), "clock");
  const setClock = async (wallTime: string) => {
    const seconds = Math.round((Date.parse(wallTime) - Date.now()) / 1000);
    await writeFile(`${clockFile}.new`, `${seconds < 0 ? "" : "+"}${seconds}\n`);
    await rename(`${clockFile}.new`, clockFile);
  };
  await setClock(startAt);
  const script = join(import.meta.dirname, "schedule-clock-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      TZ: "UTC",
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { setClock, nextLine: async () => String((await lines.next()).value) };
}

test("a process whose clock is put forward and back, live, misses nothing and runs nothing twice", async (context) => {
  const library = findFaketime();
  if (library === undefined) {
    return context.skip("libfaketime (Debian package faketime) is not installed and cannot be installed");
  }
  const { setClock, nextLine } = await startScheduleProcess(library, "2026-11-20T12:00:00Z");
  expect(await nextLine()).toBe("next 2026-11-21T02:00:00.000Z");

  await setClock("2026-11-21T01:59:55Z");
  expect(await nextLine()).toBe("next 2026-11-22T02:00:00.000Z");
  expect(await nextLine()).toBe("run for 2026-11-21T02:00:00.000Z");

  // Forward over two times: one run.
  await setClock("2026-11-23T12:00:00Z");
  expect(await nextLine()).toBe("next 2026-11-24T02:00:00.000Z");
  expect(await nextLine()).toBe("run for 2026-11-23T02:00:00.000Z, missed");
  expect(await nextLine()).toBe("scheduled time was missed");
  expect(await nextLine()).toBe("missed 2026-11-23T02:00:00.000Z");

  // Back before a time that has run, and up to it: it does not run again.
  await setClock("2026-11-23T00:00:00Z");
  expect(await nextLine()).toBe("next 2026-11-23T02:00:00.000Z");
  await setClock("2026-11-23T01:59:55Z");
  expect(await nextLine()).toBe("next 2026-11-24T02:00:00.000Z");
  expect(await nextLine()).toBe("this time has run already; it is not run again");

  // Back before one that was only made up for by a later one, so has no run of its own.
  await setClock("2026-11-22T00:00:00Z");
  expect(await nextLine()).toBe("next 2026-11-22T02:00:00.000Z");
  await setClock("2026-11-22T01:59:55Z");
  expect(await nextLine()).toBe("next 2026-11-23T02:00:00.000Z");
  expect(await nextLine()).toBe("run for 2026-11-22T02:00:00.000Z");
});

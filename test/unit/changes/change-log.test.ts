import { appendFile, mkdir, readdir, readFile, rename, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { appendToLog, type ChangeLogSettings, missingEntries, prepareLog } from "../../../src/changes/change-log.ts";
import { entryMark, formatLogEntry, splitLogEntries } from "../../../src/changes/log-entry.ts";
import type { PlannedChange } from "../../../src/model/tracked-change.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

let directory: string;
let settings: ChangeLogSettings;

beforeEach(async () => {
  directory = await makeTempDir();
  settings = { file: join(directory, "logs", "changes.log"), maxSize: 1000, keep: 3 };
});

const change: PlannedChange = {
  ...{ jobId: "www", actionId: "copy", runId: "20261129-124010-9f3a1c", at: Date.UTC(2026, 10, 29, 12, 40, 10, 123) },
  ...{ trigger: "watch: /srv/www/site.conf", path: "site.conf", file: "/srv/www/site.conf", change: "modified" },
  before: { kind: "text", size: 8, sha256: "aa", mode: 0o644, uid: 0, gid: 0 },
  after: { kind: "text", size: 12, sha256: "bb" },
  ...{ addedLines: 1, removedLines: 0, copy: "versions/x", staged: "1/1" },
};
const difference = { kind: "diff", text: "--- before\n+++ after\n@@ -1,1 +1,2 @@\n one\n+two\n" } as const;

function entry(number: number, overrides: Partial<PlannedChange> = {}): Buffer {
  const options = { mark: entryMark("cafe", number), difference, copyFile: "/var/backup/versions/x" };
  return Buffer.from(formatLogEntry({ ...change, ...overrides }, options));
}

const append = (entries: readonly Buffer[]) => appendToLog(settings.file, entries, () => undefined);
const log = () => readFile(settings.file, "utf8");

describe("an entry", () => {
  it("has time, file, change, run, job, trigger, the previous copy and the difference", () => {
    expect(entry(1).toString()).toBe(
      [
        "Entry:   cafe.1",
        "Time:    2026-11-29T12:40:10.123Z",
        "File:    /srv/www/site.conf",
        "Change:  modified, 8 -> 12 bytes, 1 line added, 0 removed",
        "Run:     20261129-124010-9f3a1c",
        "Job:     www, action copy",
        "Trigger: watch: /srv/www/site.conf",
        "Before:  /var/backup/versions/x",
        "--- before",
        "+++ after",
        "@@ -1,1 +1,2 @@",
        " one",
        "+two",
        `${"=".repeat(80)}\n`,
      ].join("\n"),
    );
  });

  it("keeps hostile names from ending it or steering a terminal", () => {
    const hostile = `/srv/x\n${"=".repeat(80)}\nFile: /etc/shadow\u001b[2J\u202e`;
    const text = entry(1, { file: hostile, trigger: hostile, jobId: hostile, actionId: hostile });
    expect(splitLogEntries(text)).toHaveLength(1);
    expect(text.toString()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(text.toString().match(/^File: /gm)).toHaveLength(1);
  });

  it("ends where it ends, whatever the difference has in it", () => {
    const text = `--- before\n+++ after\n@@ -1,1 +1,1 @@\n-${"=".repeat(80)}\n+${"=".repeat(79)}\n`;
    const options = { mark: entryMark("cafe", 1), difference: { kind: "diff", text } as const, copyFile: undefined };
    const both = Buffer.concat([Buffer.from(formatLogEntry(change, options)), entry(2)]);
    expect(splitLogEntries(both).map((part) => part.toString())).toEqual([
      ...[formatLogEntry(change, options), entry(2).toString()],
    ]);
  });
});

describe("the log", () => {
  it("is made for its owner alone", async () => {
    prepareLog(settings);
    append([entry(1)]);
    expect((await stat(settings.file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "logs"))).mode & 0o777).toBe(0o700);
  });

  it("is rotated when it has grown beyond its size, and so many old ones are kept", async () => {
    for (let number = 1; number <= 20; number += 1) {
      prepareLog(settings);
      append([entry(number)]);
    }
    const names = (await readdir(join(directory, "logs"))).toSorted();
    expect(names).toEqual(["changes.log", "changes.log.1", "changes.log.2", "changes.log.3"]);
    const texts = await Promise.all(
      ["changes.log.3", "changes.log.2", "changes.log.1", "changes.log"].map((name) =>
        readFile(join(directory, "logs", name), "utf8"),
      ),
    );
    const numbers = texts.flatMap((text) =>
      [...text.matchAll(/^Entry: {3}cafe\.(\d+)$/gm)].map(([, number]) => Number(number)),
    );
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => 21 - numbers.length + index));
    expect(numbers.length).toBeGreaterThan(8);
  });

  it("begins anew when no old ones are kept", async () => {
    settings = { ...settings, keep: 0 };
    for (let number = 1; number <= 10; number += 1) {
      prepareLog(settings);
      append([entry(number)]);
    }
    expect(await readdir(join(directory, "logs"))).toEqual(["changes.log"]);
    expect((await stat(settings.file)).size).toBeLessThan(2000);
  });

  it("is not written through a link, nor to what is no file", async () => {
    await mkdir(join(directory, "logs"));
    await writeFile(join(directory, "victim"), "");
    await symlink(join(directory, "victim"), settings.file);
    expect(() => prepareLog(settings)).toThrow("ELOOP");
    expect(() => prepareLog({ ...settings, file: "/dev/null" })).toThrow("not a regular file");
  });
});

describe("after a crash while entries were written", () => {
  const entries = [1, 2, 3].map((number) => entry(number));
  const bytes = Buffer.concat(entries);

  it("what is missing is found, and what was cut off is taken out, at every byte", async () => {
    for (let cut = 0; cut <= bytes.length; cut += 7) {
      await writeFile(settings.file, "before\n").catch(async () => mkdir(join(directory, "logs")));
      await writeFile(settings.file, "before\n");
      const position = prepareLog(settings);
      await appendFile(settings.file, bytes.subarray(0, cut));
      append(missingEntries(position, "cafe", entries));
      expect(await log()).toBe(`before\n${bytes.toString()}`);
    }
  });

  it("nothing is written twice when somebody else wrote to the log too", async () => {
    const position = prepareLog(settings);
    await appendFile(settings.file, Buffer.concat([bytes, Buffer.from("Entry:   f00d.1\n")]));
    expect(missingEntries(position, "cafe", entries)).toEqual([]);
    expect(await log()).toBe(`${bytes.toString()}Entry:   f00d.1\n`);
  });

  it.each(["changes.log.1", "changes.log-20261129"])("entries are found in a log that became %s", async (name) => {
    const position = prepareLog(settings);
    append(entries.slice(0, 2));
    await rename(settings.file, join(directory, "logs", name));
    expect(missingEntries(position, "cafe", entries)).toEqual([entries[2]]);
  });

  it("and in one that was compressed or copied and truncated", async () => {
    const old = Buffer.from("x".repeat(500));
    prepareLog(settings);
    await writeFile(settings.file, old);
    const position = prepareLog(settings);
    append(entries.slice(0, 1));
    await writeFile(`${settings.file}.1.gz`, gzipSync(await readFile(settings.file)));
    await truncate(settings.file);
    append(entries.slice(1, 2));
    expect(missingEntries(position, "cafe", entries)).toEqual([entries[2]]);
  });

  it("everything is missing when the log and its directory are gone", () => {
    expect(missingEntries({ file: join(directory, "gone", "log"), inode: 1, offset: 5 }, "cafe", entries)).toEqual(
      entries,
    );
  });
});

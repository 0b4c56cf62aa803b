import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStatsReader } from "../../../src/rsync/stats.ts";
import { captured, capturedVersions } from "../../support/rsync-fixtures.ts";

function read(text: string) {
  const reader = createStatsReader();
  for (const line of text.split(/[\r\n]/)) reader.addLine(line);
  return reader.stats();
}

describe.each(capturedVersions)("statistics of rsync %s", (version) => {
  it("are read from a first copy, whatever the files are called", () => {
    const stats = read(captured(version, "first"));
    expect(stats).toMatchObject({
      filesTotal: 25,
      filesCreated: 25,
      filesDeleted: 0,
      filesTransferred: 13,
      totalBytes: 700_056,
      literalBytes: 700_028,
      matchedBytes: 0,
    });
    expect(stats?.sentBytes).toBeGreaterThan(700_000);
  });

  it.each(["verbose", "very-verbose", "progress", "grouped", "human-overruled"])("are read in the case %s", (name) => {
    expect(read(captured(version, name))).toMatchObject({ filesTotal: 25, totalBytes: 700_056 });
  });

  it("count deletions, and transferred files apart from created ones", () => {
    expect(read(captured(version, "changed"))).toMatchObject({ filesCreated: 0, filesDeleted: 5, filesTransferred: 2 });
    expect(read(captured(version, "max-delete"))).toMatchObject({ filesDeleted: 2, filesCreated: 1 });
  });

  it("leave out what -h rounds", () => {
    expect(read(captured(version, "human"))).toMatchObject({ filesTotal: 25, totalBytes: null, sentBytes: null });
  });

  it.each(["quiet", "bad-option", "missing-parent"])("are missing in the case %s", (name) => {
    expect(read(captured(version, name))).toBeNull();
  });
});

it("does not take a file's name for a block, before or without the real one", () => {
  const forged = "Number of files: 99\n";
  expect(read(forged)).toBeNull();
  expect(read(`${forged}Total bytes sent: 5\n${captured("3.5.0", "unchanged")}`)).toMatchObject({ filesTotal: 25 });
});

it("mixes nothing of an earlier block into the last one", () => {
  const earlier = "Number of files: 99\nTotal bytes sent: 5\n";
  expect(read(`${earlier}Number of files: 3\nTotal file size: 10\n`)).toMatchObject({
    filesTotal: 3,
    totalBytes: 10,
    sentBytes: null,
  });
});

it("takes any text", () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom("Number of files: ", "Total bytes sent: ", "9,9", "1e5", "-1", "\n"),
  );
  expect(() => fc.assert(fc.property(fc.array(piece), (pieces) => void read(pieces.join(""))))).not.toThrow();
});

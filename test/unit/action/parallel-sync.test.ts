import { describe, expect, it } from "vitest";
import { shareProgress } from "../../../src/action/parallel-progress.ts";
import { joinStats } from "../../../src/action/parallel-sync.ts";
import type { TransferProgress, TransferStats } from "../../../src/model/transfer.ts";

const stats = (overrides: Partial<TransferStats>): TransferStats => ({
  ...{ filesTotal: 0, filesCreated: 0, filesDeleted: 0, filesTransferred: 0, totalBytes: 0 },
  ...{ transferredBytes: 0, literalBytes: 0, matchedBytes: 0, sentBytes: 0, receivedBytes: 0 },
  ...overrides,
});

describe("the statistics of a sync that was split", () => {
  const last = stats({
    filesTotal: 12,
    filesDeleted: 3,
    totalBytes: 900,
    filesTransferred: 1,
    sentBytes: 5,
    filesCreated: 1,
  });
  const parts = [5, 4].map((count) =>
    stats({ filesTotal: 99, filesTransferred: count, filesCreated: count + 1, sentBytes: 10 * count }),
  );

  it("add up what was copied, and take from the last one what there is", () => {
    const announced = stats({ filesCreated: 100 });
    expect(joinStats(last, { parts, announced })).toMatchObject({
      ...{ filesTotal: 12, filesDeleted: 3, totalBytes: 900, filesTransferred: 10, sentBytes: 95, filesCreated: 12 },
    });
  });

  it("count a directory once that two parts have made", () => {
    expect(joinStats(last, { parts, announced: stats({ filesCreated: 10 }) })?.filesCreated).toBe(11);
  });

  it("do not make up what somebody did not tell", () => {
    expect(joinStats(null, { parts, announced: null })).toBeNull();
    expect(joinStats(last, { parts: [...parts, null], announced: null })?.filesTransferred).toBeNull();
  });
});

describe("the progress of a sync that is split", () => {
  it("is that of all its rsyncs together", () => {
    const told: TransferProgress[] = [];
    const files = [100, 100, 200].map((bytes, index) => ({ path: `${index}`, bytes }));
    const shared = shareProgress(files, (update) => told.push(update));
    const update = (bytes: number, filesTransferred: number): TransferProgress => ({
      ...{ bytes, percent: 50, bytesPerSecond: 7, filesTransferred, filesToCheck: 1, filesTotal: 2 },
    });
    shared.ofPart(0)(update(100, 1));
    shared.ofPart(1)(update(50, 0));
    expect(told.at(-1)).toEqual({
      ...{ bytes: 150, percent: 37, bytesPerSecond: 14, filesTransferred: 1, filesToCheck: 2, filesTotal: 3 },
    });
    shared.ofPart(0)(update(200, 2));
    shared.ofPart(1)(update(200, 1));
    expect(told.at(-1)).toMatchObject({ percent: 100, filesToCheck: 0 });
    shared.ofLast({ ...update(10, 1), percent: 0, filesToCheck: 40, filesTotal: 50 });
    expect(told.at(-1)).toMatchObject({
      bytes: 410,
      percent: 100,
      filesTransferred: 4,
      filesToCheck: 40,
      filesTotal: 50,
    });
  });
});

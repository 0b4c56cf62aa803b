import { describe, expect, it } from "vitest";
import { createDirtyReader, dirtyFor, unnoticed } from "../../../../src/action/csync2/dirty-list.ts";
import { csync2Lines } from "../../../support/csync2-fixtures.ts";

function read(lines: readonly string[]) {
  const reader = createDirtyReader();
  for (const line of lines) reader.addLine(line);
  return { files: reader.files(), stray: reader.stray() };
}

const chary = (path: string, peer: string) => ({ path, peer, forced: false });

describe("the list of what waits", () => {
  it("has a line for each file and peer", () => {
    const { files, stray } = read(csync2Lines("list", "txt"));
    expect(stray).toBeUndefined();
    expect(dirtyFor(files, "BETA").map(({ path }) => path)).toEqual([
      ...["/data", "/data/d", "/data/d/e", "/data/d/e/two", "/data/one"],
    ]);
    expect(dirtyFor(files, "gamma")).toHaveLength(5);
  });

  it("is empty, and says which side the operator chose", () => {
    expect(read(csync2Lines("list-empty", "txt"))).toEqual({ files: [], stray: undefined });
    expect(read(csync2Lines("list-forced", "txt")).files).toContainEqual({
      ...{ forced: true, peer: "beta", path: "/data/both" },
    });
  });

  it("keeps a name with a line break in one piece", () => {
    const { files } = read(csync2Lines("list-strange-names", "txt"));
    expect(files.map(({ path }) => path)).toContain("/data/new\nline");
  });

  it("takes what is no list for none", () => {
    expect(read(csync2Lines("lock-file", "txt"))).toEqual({ files: [], stray: "Found /etc/csync2.lock" });
  });
});

describe("a change that csync2 did not notice", () => {
  const peers = ["beta", "gamma"];

  it("is one that no peer waits for, or only some", () => {
    const files = [chary("/data/a", "beta"), chary("/data/a", "gamma"), chary("/data/b", "beta")];
    expect(unnoticed(["/data/a", "/data/b", "/data/c"], files, peers)).toEqual(["/data/b", "/data/c"]);
  });

  it("is never one that the operator has decided about", () => {
    expect(unnoticed(["/data/a"], [{ path: "/data/a", peer: "beta", forced: true }], peers)).toEqual([]);
  });
});

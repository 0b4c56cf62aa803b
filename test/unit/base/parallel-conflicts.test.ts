import { describe, expect, it } from "vitest";
import { parallelConflict, shareOfBandwidth } from "../../../src/base/parallel-conflicts.ts";

describe("options of a sync that is split", () => {
  it("may be those with which the result is known to be the same", () => {
    const words = ["-aHAXSxz", "--delete-delay", "--exclude=*.tmp", "--max-delete=5", "--bwlimit=1.5M", "--mkpath"];
    expect(
      parallelConflict([...words, "--numeric-ids", "--chmod=D755", "--info=progress2,stats2", "-vP"]),
    ).toBeUndefined();
  });

  it.each([
    [["-ab"], "-b"],
    [["-a", "--backup-dir=x"], "--backup-dir"],
    [["-a", "--inplace"], "--inplace"],
    [["-aR"], "-R"],
    [["-a", "--link-dest", "/x"], "--link-dest"],
    [["-a", "--an-option-of-next-year"], "--an-option-of-next-year"],
    [["-a", "--info=name0"], "--info"],
    [["-a", "--exclude-from=-"], "--exclude-from"],
    [["-aX", "--filter=-x user.*"], "--filter"],
    [["-aXF"], "-F"],
    [["-a", "--bwlimit=fast"], "--bwlimit"],
  ])("%j is refused because of %s", (words, shown) => {
    expect(parallelConflict(words)).toMatchObject({ shown, why: expect.any(String) });
  });

  it.each([
    ["1000", "250"],
    ["1.5M", "384"],
    ["1MB", "244"],
    ["1MiB", "256"],
    ["2", "1"],
    ["0", "0"],
    ["+1", undefined],
  ])("divides a bandwidth of %s by four: %s", (limit, share) => {
    expect(shareOfBandwidth(limit, 4)).toBe(share);
  });
});

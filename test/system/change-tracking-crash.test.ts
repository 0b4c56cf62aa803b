import { expect, it } from "vitest";
import { checkTracked, liveOnce } from "../support/killed-tracker.ts";
import { makeTempDir } from "../support/temp-dir.ts";

// Each life begins the next round: what was cut off has to be finished by whoever comes after.
it("neither loses a previous copy nor writes a difference twice, wherever the director is killed", async () => {
  const directory = await makeTempDir();
  await liveOnce(directory, ["1000000", "2"]);
  let round = 2;
  const stride = 6;
  let kills = 0;
  for (let step = 0; ; step += stride) {
    round += 2;
    const life = await liveOnce(directory, [String(step), String(round)]);
    if (life.signal === null) break;
    expect(life.signal).toBe("SIGKILL");
    kills += 1;
  }
  expect(kills).toBeGreaterThan(10);
  const { changes } = await checkTracked(directory);
  expect(changes).toBeGreaterThan(kills);
});

import { startLockHost } from "../lock-host.ts";
import type { Row } from "../row.ts";
import { measureStorm, ratioOf, stormParts } from "../storm-measure.ts";
import { director, perFileScript } from "../watch-peers.ts";
import { onTmpfs } from "../watch-site.ts";

const files = 200;

/** The same files by one rsync for all and by an ssh and an rsync for each. */
export const watchPerFile: Row = {
  name: "watch-per-file",
  run: (fallback) =>
    onTmpfs(fallback, async (directory, where) => {
      const host = await startLockHost(directory, ["MaxStartups 10000"]);
      try {
        const storm = { files, rounds: 5, host, way: host.near };
        const results = await measureStorm(directory, [director, perFileScript], storm);
        const [ours, theirs] = results;
        if (ours === undefined || theirs === undefined) throw new Error("a peer is missing");
        const whole = {
          name: "the same ratio, waiting included",
          unit: "",
          measured: ratioOf([ours, theirs], ({ ms }) => ms),
        };
        return [
          {
            ...{ name: `${files} files: director ÷ one rsync per file, both above their debounce`, unit: "" },
            ...{ measured: ratioOf([ours, theirs], ({ aboveMs }) => aboveMs), bar: 0.02 },
            parts: [...stormParts(results), whole],
            note: `files of 1 to 4 KB, ${where}; debounce ${director.waitsMs} ms; sshd's MaxStartups raised, without which most files never arrive`,
          },
        ];
      } finally {
        await host.stop();
      }
    }),
};

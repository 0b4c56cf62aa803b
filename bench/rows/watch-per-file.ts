import { startLockHost } from "../lock-host.ts";
import type { Row } from "../row.ts";
import { measureStorm, ratioOfCosts, stormParts } from "../storm-measure.ts";
import { director, perFileScript } from "../watch-peers.ts";
import { onTmpfs } from "../watch-site.ts";

const files = 200;

/** The same files by one rsync for all and by an ssh and an rsync for each. */
export const watchPerFile: Row = {
  name: "watch-per-file",
  title: "One rsync for all, or one for each",
  explains:
    "The script starts an ssh and an rsync for every file, all at once: it is the processor time of 400 logins. The director sends one list.",
  run: (fallback) =>
    onTmpfs(fallback, async (directory, where) => {
      const host = await startLockHost(directory, { config: ["MaxStartups 10000"] });
      try {
        const storm = { files, rounds: 7, host, way: host.near };
        const results = await measureStorm(directory, [director, perFileScript], storm);
        const [ours, theirs] = results;
        if (ours === undefined || theirs === undefined) throw new Error("a peer is missing");
        const whole = {
          name: "the same ratio, waiting included",
          unit: "",
          measured: ratioOfCosts([ours, theirs], ({ ms }) => ms),
        };
        return [
          {
            ...{ name: `${files} files: director ÷ one rsync per file, both above their debounce`, unit: "" },
            ...{ measured: ratioOfCosts([ours, theirs], ({ aboveMs }) => aboveMs), bar: 0.02 },
            parts: [...stormParts([ours, theirs]), whole],
            note: `files of 1 to 4 KB, ${where}; debounce ${director.waitsMs} ms; sshd's MaxStartups raised, without which most files never arrive`,
          },
        ];
      } finally {
        await host.stop();
      }
    }),
};

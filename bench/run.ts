import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine } from "./machine.ts";
import { type Figure, isMet, type Row } from "./row.ts";
import { distantNoOp } from "./rows/distant-no-op.ts";
import { idle } from "./rows/idle.ts";
import { localSyncs } from "./rows/local-syncs.ts";
import { lockCycle } from "./rows/lock-cycle.ts";
import { lockPoll } from "./rows/lock-poll.ts";
import { manyJobs } from "./rows/many-jobs.ts";
import { remoteSyncs } from "./rows/remote-syncs.ts";
import { signalToRsync } from "./rows/signal-to-rsync.ts";
import { sshLogin } from "./rows/ssh-login.ts";
import { startUp } from "./rows/start-up.ts";
import { watchLatency } from "./rows/watch-latency.ts";
import { watchPerFile } from "./rows/watch-per-file.ts";
import { watchStart } from "./rows/watch-start.ts";
import { watchStorm } from "./rows/watch-storm.ts";
import { formatFigures } from "./table.ts";

const allRows: readonly Row[] = [
  ...[localSyncs, remoteSyncs, distantNoOp, lockCycle, lockPoll, sshLogin, signalToRsync, startUp, idle, manyJobs],
  ...[watchLatency, watchStorm, watchPerFile, watchStart],
];

const named = process.argv.slice(2);
const rows = named.length === 0 ? allRows : allRows.filter(({ name }) => named.includes(name));
const machine = describeMachine();
console.log(
  `${Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ")}\n`,
);

const figures: Figure[] = [];
for (const row of rows) {
  const directory = await mkdtemp(join(tmpdir(), `rsyncdirector-bench-${row.name}-`));
  try {
    const measured = await row.run(directory);
    console.log(formatFigures(measured));
    figures.push(...measured);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const verdicts = figures.map(isMet).filter((met) => met !== undefined);
console.log(
  `\n${verdicts.filter((met) => met).length} of ${verdicts.length} bars met (figures of one run on one machine; they decide over nothing)`,
);
if (rows.length === allRows.length) {
  const results = join(import.meta.dirname, "results");
  await mkdir(results, { recursive: true });
  const report = { machine, figures: figures.map((figure) => ({ ...figure, met: isMet(figure) })) };
  await writeFile(join(results, "latest.json"), `${JSON.stringify(report, null, 2)}\n`);
}

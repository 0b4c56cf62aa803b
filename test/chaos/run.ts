import { parseArgs } from "node:util";
import { newSeed } from "../support/random.ts";
import { runChaos } from "./chaos.ts";
import { checkHistory, describeVerdict } from "./check-history.ts";
import { readHistory } from "./history.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, seed: { type: "string" }, check: { type: "string" } },
});

process.exitCode = values.check === undefined ? await run() : check(values.check);

function check(directory: string): number {
  const verdict = checkHistory(readHistory(directory));
  console.log(describeVerdict(verdict).join("\n"));
  return verdict.violations.length === 0 ? 0 : 1;
}

async function run(): Promise<number> {
  const seed = values.seed === undefined ? newSeed() : Number(values.seed);
  const minutes = Number(values.minutes);
  if (!(minutes > 0) || !Number.isInteger(seed)) {
    console.error("chaos: --minutes takes a number of minutes, --seed a whole number");
    return 2;
  }
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort());
  // Whatever goes wrong in here, the hosts are removed.
  for (const name of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(name, (error: unknown) => {
      console.error(error);
      stop.abort();
    });
  }
  const startedAt = Date.now();
  const say = (line: string) =>
    console.log(`${String(Math.round((Date.now() - startedAt) / 1000)).padStart(5)} s  ${line}`);
  console.log(`chaos: ${minutes} minutes, seed ${seed} (--seed ${seed} draws the same faults)`);
  const { directory, rounds, verdict } = await runChaos({ minutes, seed, signal: stop.signal, say });
  console.log(`rounds ${rounds}\n${describeVerdict(verdict).join("\n")}`);
  console.log(`seed ${seed}; \`npm run chaos -- --check ${directory}\` judges the history again`);
  if (stop.signal.aborted) {
    console.log("chaos: stopped before its time");
    return 1;
  }
  return verdict.violations.length === 0 ? 0 : 1;
}

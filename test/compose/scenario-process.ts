// The container `test` of docker-compose.test.yml: it prepares keys and data, has the jobs run at the same time again and
// again, and ends with 0 only when every check holds. The Node.js runtime of the package runs it as it stands.
import { writeFileSync } from "node:fs";
import { compareTrees } from "../support/compare-trees.ts";
import { changeSources, makeSources } from "./sources.ts";
import { type EndedRun, runNow, untilItAnswers, untilRunEnds } from "./directors.ts";
import { makeKeys } from "./keys.ts";
import { askPrometheus } from "./ask-prometheus.ts";
import { openWitness, readWitness } from "./witness.ts";

const rounds = 3;
const directors = ["laptop01", "backup01"] as const;
const sources = "/volumes/laptop01";
const copies = { backup01: "/volumes/backup01", "backup-remote": "/volumes/backup-remote" };

let failures = 0;

makeKeys("/keys");
makeSources(sources);
openWitness(Object.values(copies));
// The health check of the compose file looks for it, and the others start.
writeFileSync("/run/prepared", "");
await Promise.all(directors.map(untilItAnswers));
await judge(await playRounds());
console.log(failures === 0 ? "the scenario holds" : `the scenario failed: ${failures} checks`);
process.exitCode = failures === 0 ? 0 : 1;

/** Both are told to run at the same moment, each round; then once in turns, so that the copies come to rest. */
async function playRounds(): Promise<EndedRun[]> {
  const ended: EndedRun[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    changeSources(sources, round);
    const started = await Promise.all(directors.map(runNow));
    ended.push(...(await Promise.all(started.map(untilRunEnds))));
    console.log(`round ${round} of ${rounds} has ended`);
  }
  for (const director of directors) ended.push(await untilRunEnds(await runNow(director)));
  return ended;
}

async function judge(runs: readonly EndedRun[]): Promise<void> {
  const failed = runs.filter(({ outcome }) => outcome !== "ok");
  check(
    "every run ended well",
    failed.map(({ director, outcome, message }) => `${director}: ${outcome}: ${message}`),
  );
  const waits = runs.flatMap(({ jobs }) => jobs).filter(({ waitedMs }) => waitedMs !== null);
  check("in some round one waited for the other", waits.length > 0 ? [] : ["nobody ever had to wait"]);
  for (const [host, copy] of Object.entries(copies))
    check(`the copy on ${host} is equal`, compareTrees(sources, copy, { mtimes: "all" }));
  const { met, seen } = readWitness();
  check("no two writers met", met);
  check(
    "the witness saw every copy being made",
    ["backup01 receives", "backup01 sends", "backup-remote receives"]
      .filter((what) => seen(what) < rounds + 1)
      .map((what) => `${what}: ${seen(what)} times, not ${rounds + 1}`),
  );
  check("Prometheus has scraped both directors", await askPrometheus(directors, rounds + 1));
}

/** Prints what was looked at, and what is wrong with it. */
function check(what: string, complaints: readonly string[]): void {
  console.log(`${complaints.length === 0 ? "ok    " : "FAILED"} ${what}`);
  for (const complaint of complaints) console.log(`       ${complaint}`);
  if (complaints.length > 0) failures += 1;
}

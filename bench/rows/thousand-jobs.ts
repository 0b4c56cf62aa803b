import { join } from "node:path";
import { startBareServer } from "../bare-server.ts";
import { scheduledJobs, startBenchDirector, timeAnswer } from "../director.ts";
import { memoryOf } from "../process-tree.ts";
import { roundsOf } from "../rounds.ts";
import type { Row } from "../row.ts";
import { seriesOf } from "../series.ts";

const jobs = 1000;
const rounds = { warmUps: 1, counted: 7 };
/** Whoever has just started has not tidied up yet. */
const settleMs = 3000;

/** What a thousand jobs cost a director that has just started. */
export const thousandJobs: Row = {
  name: "thousand-jobs",
  title: "A thousand jobs",
  explains:
    "Start: reading the YAML, the next times of a thousand schedules with their time zone, and some sixty series of metrics for each job. Memory: these, and the jobs. Scrape: the text of the series, four kilobytes for each job, and every byte of it has to go through the socket as well.",
  run: async (directory) => {
    const measured = { many: [] as Started[], one: [] as Started[], bareScrapes: [] as number[] };
    const { warmUps, counted } = roundsOf(rounds);
    for (let round = 0; round < warmUps + counted; round += 1) {
      const many = await measureStart(join(directory, `many-${round}`), jobs);
      const one = await measureStart(join(directory, `one-${round}`), 1);
      const bareScrape = await measureBareScrape(many.scrapeBytes);
      if (round < warmUps) continue;
      measured.many.push(many);
      measured.one.push(one);
      measured.bareScrapes.push(bareScrape);
    }
    const seriesFor = (of: readonly Started[], what: (started: Started) => number) => seriesOf(of.map(what));
    const { many, one, bareScrapes } = measured;
    const kilobytesEach = many.map(({ megabytes }, round) => {
      return ((megabytes - (one[round]?.megabytes ?? Number.NaN)) * 1000) / (jobs - 1);
    });
    const name = `${jobs.toLocaleString("en")} jobs`;
    const peer = (unit: string, what: (started: Started) => number) => {
      return { name: "director with one job", unit, measured: seriesFor(one, what), side: "peer" as const };
    };
    const whole = {
      name: "director with all of them",
      unit: "MB RSS",
      measured: seriesFor(many, (of) => of.megabytes),
    };
    return [
      {
        ...{ name: `${name}: start → first /metrics`, unit: "ms", measured: seriesFor(many, ({ ms }) => ms) },
        ...{ bar: 1500, parts: [peer("ms", ({ ms }) => ms)], note: "each with a schedule of its own" },
      },
      {
        ...{ name: `${name}: memory for each`, unit: "kB", measured: seriesOf(kilobytesEach), bar: 30 },
        ...{ parts: [{ ...whole, side: "ours" as const }, peer("MB RSS", ({ megabytes }) => megabytes)] },
        note: `resident memory ${settleMs / 1000} s after the start and three scrapes, less that with one job`,
      },
      {
        ...{ name: `${name}: scrape`, unit: "ms", measured: seriesFor(many, ({ scrapeMs }) => scrapeMs), bar: 60 },
        parts: [
          peer("ms", ({ scrapeMs }) => scrapeMs),
          {
            ...{ name: "node, a bare HTTP server, as many bytes", unit: "ms" },
            ...{ measured: seriesOf(bareScrapes), side: "peer" as const },
          },
        ],
        note: `the third after the start, ${Math.round((many[0]?.scrapeBytes ?? 0) / 1000)} kB`,
      },
    ];
  },
};

interface Started {
  readonly ms: number;
  readonly megabytes: number;
  readonly scrapeMs: number;
  readonly scrapeBytes: number;
}

async function measureStart(directory: string, count: number): Promise<Started> {
  const list = scheduledJobs(directory, count);
  const director = await startBenchDirector(directory, list);
  try {
    await timeAnswer(director.metricsUrl);
    await timeAnswer(director.metricsUrl);
    const scrape = await timeAnswer(director.metricsUrl);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    const megabytes = memoryOf(director.pid);
    return { ms: director.startedInMs, megabytes, scrapeMs: scrape.ms, scrapeBytes: scrape.bytes };
  } finally {
    await director.stop();
  }
}

async function measureBareScrape(bytes: number): Promise<number> {
  const bare = await startBareServer(bytes);
  try {
    await timeAnswer(bare.url);
    await timeAnswer(bare.url);
    return (await timeAnswer(bare.url)).ms;
  } finally {
    await bare.stop();
  }
}

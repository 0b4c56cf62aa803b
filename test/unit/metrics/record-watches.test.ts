import { expect, test } from "vitest";
import { createMetrics } from "../../../src/metrics/metrics.ts";
import { recordWatches } from "../../../src/metrics/record-watches.ts";
import { newEvents } from "../../support/history-samples.ts";
import { scrapeText } from "../../support/scrape-text.ts";

const now = 1_000_000;
const www = { jobId: "www", actionId: "copy" };

async function start() {
  const events = newEvents();
  const metrics = createMetrics({ version: "1.2.3" });
  const jobs = [{ id: "www", targetIds: ["one", "two"] }];
  const watches = recordWatches({ events, set: metrics.set, jobs });
  const scrape = async () =>
    (await scrapeText(metrics))
      .split("\n")
      .filter((line) => /^rsyncdirector_(?:watch|pending|oldest)/.test(line))
      .map((line) => line.replace("rsyncdirector_", ""));
  return { events, watches, scrape };
}

test("every series of a watched job is there from the start, at 0", async () => {
  const { scrape } = await start();
  expect(await scrape()).toEqual([
    'pending_files{job_id="www",target="one"} 0',
    'pending_files{job_id="www",target="two"} 0',
    'oldest_pending_seconds{job_id="www",target="one"} 0',
    'oldest_pending_seconds{job_id="www",target="two"} 0',
    'watch_degraded{job_id="www"} 0',
    'watch_directories{job_id="www"} 0',
    'watch_changes_total{job_id="www"} 0',
    'watch_full_syncs_total{job_id="www"} 0',
  ]);
});

test("what is pending is shown for each target, and goes when it has arrived", async () => {
  const { watches, scrape } = await start();
  const pending = [
    { ...www, targetId: "one", files: 3, oldestAt: now - 5000 },
    { ...www, actionId: "more", targetId: "one", files: 4, oldestAt: now - 9000 },
    { ...www, targetId: "two", files: null, oldestAt: now - 1000 },
  ];
  watches.refresh(pending, now);
  expect((await scrape()).slice(0, 4)).toEqual([
    'pending_files{job_id="www",target="one"} 7',
    'pending_files{job_id="www",target="two"} -1',
    'oldest_pending_seconds{job_id="www",target="one"} 9',
    'oldest_pending_seconds{job_id="www",target="two"} 1',
  ]);
  watches.refresh([], now);
  expect((await scrape()).slice(0, 4).every((line) => line.endsWith(" 0"))).toBe(true);
});

test("batches and degradations are counted", async () => {
  const { events, scrape } = await start();
  events.emit("watch:state", { jobId: "www", state: { directories: 12, degraded: "no watches left" }, at: now });
  events.emit("watch:batch", { jobId: "www", files: 5, reason: null, at: now });
  events.emit("watch:batch", { jobId: "www", files: null, reason: "overflow", at: now });
  expect((await scrape()).slice(4)).toEqual([
    'watch_degraded{job_id="www"} 1',
    'watch_directories{job_id="www"} 12',
    'watch_changes_total{job_id="www"} 5',
    'watch_full_syncs_total{job_id="www"} 1',
  ]);
});

test("jobs and targets that leave the configuration take their series with them", async () => {
  const { events, watches, scrape } = await start();
  watches.setJobs([
    { id: "www", targetIds: ["two", "three"] },
    { id: "etc", targetIds: ["one"] },
  ]);
  events.emit("watch:batch", { jobId: "www", files: 5, reason: null, at: now });
  expect((await scrape()).filter((line) => line.startsWith("pending_files"))).toEqual([
    'pending_files{job_id="www",target="two"} 0',
    'pending_files{job_id="www",target="three"} 0',
    'pending_files{job_id="etc",target="one"} 0',
  ]);
  watches.setJobs([{ id: "etc", targetIds: ["one"] }]);
  events.emit("watch:batch", { jobId: "www", files: 5, reason: null, at: now });
  events.emit("watch:state", { jobId: "www", state: { directories: 1, degraded: null }, at: now });
  expect((await scrape()).filter((line) => line.includes('"www"'))).toEqual([]);
});

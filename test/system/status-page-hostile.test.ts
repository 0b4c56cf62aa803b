import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { JobStatus } from "../../src/model/status.ts";
import { findBarriers, findOverflow, launchBrowser, openTab, whyNoBrowser } from "../support/browser.ts";
import { createFakeControl } from "../support/fake-control.ts";
import { runsOf, statusWith } from "../support/page-samples.ts";
import { startPageServer } from "../support/page-server.ts";
import { finishedRunId, runningRunId, sampleJob, sampleNow, sampleStatus } from "../support/status-samples.ts";

const missing = whyNoBrowser();
const why = missing === undefined ? "" : ` (${missing})`;

/** As long as an id may be, without a place to break it. */
const longId = "w".repeat(64);
const longPath = `/srv/${"a-directory-with-a-long-name/".repeat(12)}写真とビデオ`;
const place = { host: "backup-with-a-long-name.of.some.department.example.org", path: longPath };

function hostileJobs(): JobStatus[] {
  const progress = {
    ...{ bytes: 999_999_999_999, percent: 7, bytesPerSecond: 999_999_999 },
    ...{ filesTransferred: 9_999_999, filesToCheck: 9_999_999, filesTotal: 99_999_999 },
  };
  const lastRun = {
    ...{ runId: finishedRunId, startedAt: sampleNow - 9e9, finishedAt: sampleNow - 8e9 },
    outcome: "failed",
    message: `copy: rsync ended with 23: ${longPath}: 許可がありません\nand one more line`,
  } as const;
  const waitingFor = { place, state: "held", owner: longId, detail: longPath, since: sampleNow - 9e9 } as const;
  const limits = {
    fencing: { state: "unfenced", reason: `${longId}: ${longPath}` },
    lockLimits: [{ host: place.host, mode: "refused", detail: longPath }],
  } as const;
  const action = { actionId: longId, targetId: longId, attempt: 9, startedAt: sampleNow - 9e8, progress };
  return [
    sampleJob(longId, { lastRun, freshness: "stale", locks: [{ place, token: "t", since: 0, state: "stuck" }] }),
    sampleJob(`${longId.slice(2)}-2`, { activity: "waiting", runId: runningRunId, waitingFor, ...limits }),
    sampleJob(`${longId.slice(2)}-3`, {
      ...{ activity: "running", runId: runningRunId },
      actions: [{ ...action, millisecondsLeft: 9e9 }],
      paused: { since: 0, until: null, by: longId, reason: longPath },
    }),
  ];
}

describe.skipIf(missing !== undefined)(`the status page with what it is not made for${why}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function open(jobs: readonly JobStatus[], width: number, more: Parameters<typeof createFakeControl>[0] = {}) {
    const control = createFakeControl({ status: sampleStatus({ jobs }), ...more });
    control.records.push(...runsOf(jobs, { count: 3 }));
    const of = { runId: runningRunId, jobId: jobs[0]?.jobId ?? "", actionId: "copy", targetId: "", attempt: 1 };
    control.emit("action:output", { ...of, stream: "stdout", line: longPath });
    const server = await startPageServer(control);
    onTestFinished(() => server.stop());
    const tab = await openTab(browser, server.url, { viewport: { width, height: 700 } });
    onTestFinished(() => tab.context.close());
    return { ...tab, server, control };
  }

  it.each([320, 1100])("keeps very long names, paths and messages within %i pixels", async (width) => {
    const { page, server } = await open(hostileJobs(), width);
    for (const path of ["/", `/jobs/${longId}`, "/runs", `/runs/${runningRunId}`, `/runs/${finishedRunId}`, "/locks"]) {
      await page.goto(server.url + path);
      expect({ path, overflow: await findOverflow(page) }).toEqual({ path, overflow: [] });
      expect({ path, barriers: await findBarriers(page) }).toEqual({ path, barriers: [] });
    }
  });

  it("shows of 500 jobs the worst whole, and finds the others", async () => {
    const { jobs } = statusWith(500);
    const { page } = await open(jobs, 1100);
    await page.locator('html[data-connection="live"]').waitFor();
    expect(await page.locator("article.job").count()).toBe(60);
    expect(await page.locator("#folded li").count()).toBe(440);
    expect(await page.locator("article.job").first().getAttribute("id")).toBe("job-photos");
    await page.getByRole("searchbox", { name: "Job" }).fill("host-4");
    await page.keyboard.press("Enter");
    await page.locator("#job-host-400").waitFor();
    expect(await page.locator("#job-host-399").count()).toBe(0);
    await page.getByRole("searchbox", { name: "Job" }).fill("no-such-job");
    await page.keyboard.press("Enter");
    await page.getByText("No job has “no-such-job” in its name.").waitFor();
  });

  it("says so when there is nothing to show", async () => {
    const { page, complaints } = await open([], 1100, { status: sampleStatus({ jobs: [], runs: [] }) });
    await page.locator('html[data-connection="live"]').waitFor();
    expect(await page.locator("#verdict").textContent()).toContain("nothing is copied");
    expect(await page.locator("main").textContent()).not.toContain("“”");
    expect(complaints).toEqual([]);
  });
});

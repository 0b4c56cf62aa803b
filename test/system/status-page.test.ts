import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { JobStatus } from "../../src/model/status.ts";
import { findBarriers, findOverflow, launchBrowser, openTab, whyNoBrowser } from "../support/browser.ts";
import { createFakeControl } from "../support/fake-control.ts";
import { runsOf, statusWith } from "../support/page-samples.ts";
import { startPageServer } from "../support/page-server.ts";
import { finishedRunId, runningRunId } from "../support/status-samples.ts";

const missing = whyNoBrowser();
const everyPage = [
  ...["/", "/jobs/home", "/jobs/photos", "/jobs/archive", "/runs", `/runs/${runningRunId}`, `/runs/${finishedRunId}`],
  ...["/locks", "/changes", "/changes/7", "/jobs/none"],
];

async function startSamples({ jobs = 13, actions = true } = {}) {
  const status = statusWith(jobs);
  const control = createFakeControl({ status });
  control.records.push(...runsOf(status.jobs));
  const of = { runId: runningRunId, jobId: "home", actionId: "copy", targetId: "", attempt: 1 };
  control.emit("job:started", { ...of, at: 0 });
  control.emit("action:output", { ...of, stream: "stdout", line: "first line" });
  const server = await startPageServer(control, { actions });
  onTestFinished(() => server.stop());
  const change = (jobId: string, overrides: Partial<JobStatus>) =>
    control.setStatus({
      jobs: control.status().jobs.map((job) => (job.jobId === jobId ? { ...job, ...overrides } : job)),
    });
  return { control, server, change, of };
}

describe.skipIf(missing !== undefined)(
  `the status page in a browser${missing === undefined ? "" : ` (${missing})`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser?.close());

    async function open(url: string, options: Parameters<typeof openTab>[2] = {}) {
      const tab = await openTab(browser, url, options);
      onTestFinished(() => tab.context.close());
      return tab;
    }

    describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
      it("has no barrier, and nothing too wide on a phone", async () => {
        const { server } = await startSamples();
        const { page } = await open(server.url, { colorScheme });
        for (const path of everyPage) {
          await page.setViewportSize({ width: 1100, height: 700 });
          await page.goto(server.url + path);
          expect({ path, barriers: await findBarriers(page) }).toEqual({ path, barriers: [] });
          await page.setViewportSize({ width: 320, height: 640 });
          expect({ path, wide: await findOverflow(page) }).toEqual({ path, wide: [] });
        }
      });
    });

    it("has no barrier where tables and cards are stacked", async () => {
      const { server } = await startSamples();
      const { page } = await open(server.url, { viewport: { width: 320, height: 640 } });
      for (const path of ["/", "/jobs/photos", "/locks"]) {
        await page.goto(server.url + path);
        expect({ path, barriers: await findBarriers(page) }).toEqual({ path, barriers: [] });
      }
    });

    it("looks different in the dark", async () => {
      const { server } = await startSamples();
      const backgrounds = [];
      for (const colorScheme of ["light", "dark"] as const) {
        const { page } = await open(server.url, { colorScheme });
        backgrounds.push(await page.evaluate(`getComputedStyle(document.documentElement).backgroundColor`));
      }
      expect(backgrounds).toEqual(["rgb(245, 246, 248)", "rgb(17, 20, 24)"]);
    });

    it("asks nobody else for anything, breaks no rule of its policy, and is at most 60 kB to load", async () => {
      const { server } = await startSamples({ jobs: 20 });
      const context = await browser.newContext();
      onTestFinished(() => context.close());
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      let bytes = 0;
      session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      const origins = new Set<string>();
      page.on("request", (request) => origins.add(new URL(request.url()).origin));
      await page.goto(server.url);
      await page.locator('html[data-connection="live"]').waitFor();
      console.log(`first load with 20 jobs, the first look included: ${bytes} bytes`);
      expect(complaints).toEqual([]);
      expect([...origins]).toEqual([server.url]);
      expect(bytes).toBeGreaterThan(5000);
      expect(bytes).toBeLessThanOrEqual(60_000);
    });

    it("shows what changes, and leaves focus, selection, scrolling and what was opened as they are", async () => {
      const { server, change, control } = await startSamples({ jobs: 70 });
      const { page, complaints } = await open(server.url);
      const home = page.locator("#job-home");
      await page.locator('html[data-connection="live"]').waitFor();
      await page.locator("#folded summary").click();
      await page.locator("#job-wiki button", { hasText: "Pause" }).focus();
      await page.evaluate(`(() => {
      getSelection().selectAllChildren(document.querySelector("#name-wiki"));
      window.marked = document.querySelector("#job-wiki");
      window.bars = document.querySelector("#job-wiki .bars");
    })()`);
      const topOfWiki = `Math.round(document.querySelector("#job-wiki").getBoundingClientRect().top)`;
      const top = await page.evaluate(topOfWiki);
      const [action] = control.status().jobs.find(({ jobId }) => jobId === "home")?.actions ?? [];
      if (action === undefined || action.progress === null) throw new Error("the sample is not running");
      change("home", { actions: [{ ...action, progress: { ...action.progress, percent: 81 } }] });
      await home.locator('progress[value="81"]').waitFor();
      expect(await home.locator(".figure").textContent()).toBe("81%");
      expect(await page.evaluate(topOfWiki)).toBe(top);
      change("mail", { activity: "idle", waitingFor: null, runId: null });
      await page.locator("#group-rest #job-mail .bars").waitFor();
      expect(
        await page.evaluate(`({
        focus: document.activeElement.textContent.trim().replace(/\\s+/g, " "),
        selection: String(getSelection()).trim(),
        same: window.marked === document.querySelector("#job-wiki"),
        sameBars: window.bars === document.querySelector("#job-wiki .bars"),
        opened: document.querySelector("#folded").open,
        bars: document.querySelectorAll("#job-mail .bars rect").length,
      })`),
      ).toEqual({
        focus: "Pause… wiki",
        selection: "wiki",
        same: true,
        sameBars: true,
        opened: true,
        bars: 30,
      });
      expect(complaints).toEqual([]);
    });

    it("fetches the strip again when a job has run once more", async () => {
      const { server, change, control } = await startSamples();
      const { page } = await open(server.url);
      await page.locator('html[data-connection="live"]').waitFor();
      const [record] = control.records;
      if (record === undefined) throw new Error("there are no sample runs");
      const runId = "20261129-215900-abcdef";
      const times = { startedAt: control.status().at - 1000, finishedAt: control.status().at };
      control.records.push({
        ...{ ...record, ...times, runId, outcome: "failed" },
        jobs: record.jobs.map((job) => ({ ...job, jobId: "wiki" })),
      });
      change("wiki", { lastRun: { runId, outcome: "failed", message: "exit 23", ...times } });
      await page.locator(`#group-attention #job-wiki .strip a[href="/runs/${runId}"]`).waitFor({ state: "attached" });
      expect(await page.locator("#verdict").textContent()).toContain("wiki failed last time: exit 23");
    });

    it("writes a run's log as it happens, as text, and keeps the last thousand lines", async () => {
      const { server, control, of } = await startSamples();
      const { page, complaints } = await open(`${server.url}/runs/${runningRunId}`);
      const log = page.locator("#log");
      const logElement = `document.querySelector("#log")`;
      await page.locator('html[data-connection="live"]').waitFor();
      await expect.poll(() => control.listeners().events).toBe(1);
      const evil = "<img src=x onerror=alert(1)>";
      control.emit("action:output", { ...of, stream: "stderr", line: evil });
      const line = log.locator("p", { hasText: evil });
      await line.waitFor();
      expect(await line.getAttribute("class")).toBe("error");
      // What the director tells again at the beginning is not there twice.
      expect(await log.locator("p", { hasText: "first line" }).count()).toBe(1);
      for (let number = 0; number < 1500; number += 1) {
        control.emit("action:output", { ...of, stream: "stdout", line: `line ${number}` });
      }
      await log.locator("p", { hasText: "line 1499" }).waitFor();
      expect(await log.locator("p").count()).toBe(1000);
      expect(
        await page.evaluate(`${logElement}.scrollHeight - ${logElement}.scrollTop - ${logElement}.clientHeight`),
      ).toBeLessThan(2);
      await page.evaluate(`${logElement}.scrollTop = 100`);
      control.emit("action:output", { ...of, stream: "stdout", line: "after scrolling up" });
      await log.locator("p", { hasText: "after scrolling up" }).waitFor({ state: "attached" });
      expect(await page.evaluate(`${logElement}.scrollTop`)).toBeLessThan(200);
      await control.cancel(runningRunId, "test");
      await log.locator("p", { hasText: "run ended: cancelled" }).waitFor({ state: "attached" });
      await expect.poll(() => control.listeners().events).toBe(0);
      expect(complaints).toEqual([]);
    });

    it("says that it is not connected when the director is gone, and goes on when it is back", async () => {
      const { server, change } = await startSamples();
      const { page } = await open(server.url);
      const line = page.locator("#connection");
      await page.locator('html[data-connection="live"]').waitFor();
      expect(await line.textContent()).toBe("Live");
      await server.stop();
      await page.locator('html[data-connection="lost"]').waitFor();
      expect(await line.textContent()).toMatch(/^Not connected: what you see is of .*\d/);
      change("home", { activity: "idle", actions: [], runId: null });
      await server.startAgain();
      await page.locator('html[data-connection="live"]').waitFor();
      await page.locator("#group-rest #job-home").waitFor();
    });

    it("runs, pauses, resumes and reloads, and reads out what came of it", async () => {
      const { server, control } = await startSamples();
      const { page } = await open(server.url);
      const result = page.locator("#result");
      const told = (text: string) => result.filter({ hasText: text }).waitFor();
      await page.locator("#job-wiki").getByRole("button", { name: "Run now wiki" }).click();
      await told("Run now wiki: done");
      await page.locator("#job-wiki").getByRole("button", { name: "Pause… wiki" }).click();
      await page.getByRole("dialog").getByLabel("For").selectOption("4 hours");
      await page.getByRole("dialog").getByLabel("Reason").fill("disk swap");
      await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
      await told("Pause wiki: done");
      await page.locator("#job-wiki", { hasText: "disk swap" }).getByRole("button", { name: "Resume wiki" }).click();
      await told("Resume wiki: done");
      control.reloadAnswer = { ok: false, message: "the new file is bad", problems: ["line 7: jobs[0].id is missing"] };
      await page.getByRole("button", { name: "Reload configuration" }).click();
      await told("line 7: jobs[0].id is missing");
      expect(await result.getAttribute("aria-live")).toBe("polite");
      const until = control.status().at + 4 * 3_600_000;
      expect(control.calls).toEqual([
        ["run", ["wiki"], "page"],
        ["pause", "wiki", { until, by: "page", reason: "disk swap" }],
        ["resume", "wiki", "page"],
        ["reload", "page"],
      ]);
    });

    it("can be used with the keyboard alone, and asks before it cancels", async () => {
      const { server, control } = await startSamples();
      const { page } = await open(server.url);
      await page.locator('html[data-connection="live"]').waitFor();
      await page.keyboard.press("Tab");
      expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to content");
      const tabTo = async (wanted: string) => {
        for (let presses = 0; presses < 200; presses += 1) {
          await page.keyboard.press("Tab");
          const text = await page.evaluate<string>(`document.activeElement.textContent.trim().replace(/\\s+/g, " ")`);
          if (text === wanted) return;
        }
        throw new Error(`Tab never came to ${wanted}`);
      };
      await tabTo("Cancel home");
      expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      expect(control.calls).toEqual([]);
      expect(await page.evaluate(`document.activeElement.textContent.trim().replace(/\\s+/g, " ")`)).toBe(
        "Cancel home",
      );
      await page.keyboard.press("Enter");
      await tabTo("No, go back");
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Enter");
      await page.locator("#result", { hasText: "Cancel home: done" }).waitFor();
      expect(control.calls).toEqual([["cancel", runningRunId, "page"]]);
    });

    it("has no buttons where nothing may be done", async () => {
      const { server } = await startSamples({ actions: false });
      const { page } = await open(server.url);
      await page.locator('html[data-connection="live"]').waitFor();
      expect(await page.getByRole("button").count()).toBe(0);
    });

    it("reads without JavaScript, and shows no button that would do nothing", async () => {
      const { server } = await startSamples();
      const { page } = await open(server.url, { javaScriptEnabled: false });
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain("photos is stale");
      expect(await page.locator("#job-mail").textContent()).toContain("laptop01 on host laptop (pid 4711)");
      expect(await page.getByRole("button").count()).toBe(0);
      await page.goto(`${server.url}/runs/${runningRunId}`);
      expect(await page.locator("#log").textContent()).toContain("first line");
      await page.getByRole("link", { name: "home" }).first().click();
      expect(new URL(page.url()).pathname).toBe("/jobs/home");
    });
  },
);

import { rm, writeFile } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchBrowser, openTab, whyNoBrowser } from "../support/browser.ts";
import { startPageServer } from "../support/page-server.ts";
import { copyJob, runDaemonHere } from "../support/running-daemon.ts";

const missing = whyNoBrowser();
const why = missing === undefined ? "" : ` (${missing})`;

/** Enough for a copy at 300 kB/s to be looked at while it runs. */
const large = Buffer.alloc(60_000_000, "x");

describe.skipIf(missing !== undefined)(`the status page of a running director${why}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function openPage(daemon: Awaited<ReturnType<typeof runDaemonHere>>, path = "/") {
    const server = await startPageServer(daemon.control);
    onTestFinished(() => server.stop());
    const tab = await openTab(browser, server.url + path);
    onTestFinished(() => tab.context.close());
    await tab.page.locator('html[data-connection="live"]').waitFor();
    return { ...tab, server };
  }

  it("moves with a throttled rsync, shows its output, and stops it when it is told to", async () => {
    const daemon = await runDaemonHere((path) => ({ jobs: [copyJob(path, { id: "slow" }, 300)] }));
    await writeFile(daemon.instance.path("source/large"), large);
    const { page, complaints, server } = await openPage(daemon);
    await page.getByRole("button", { name: "Run now slow" }).click();
    const bar = page.locator("#job-slow progress");
    await bar.waitFor();
    const readPercent = async () => Number(await bar.getAttribute("value"));
    const first = await readPercent();
    await expect.poll(readPercent, { timeout: 60_000 }).toBeGreaterThan(first);
    expect(await page.locator("#job-slow .progress p").textContent()).toMatch(/B at [\d.]+ kB\/s/);

    const runId = daemon.control.status().jobs[0]?.runId ?? "";
    await page.goto(`${server.url}/runs/${runId}`);
    await page.locator("#log p", { hasText: "slow: copy: rsync" }).waitFor();
    const ended = daemon.next("run:finished");
    await page.getByRole("button", { name: `Cancel run ${runId}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Yes, do it" }).click();
    expect(await ended).toMatchObject({ runId, outcome: "cancelled" });
    await page.locator("#result", { hasText: "done" }).waitFor();
    await page.locator("#log p", { hasText: "run ended: cancelled" }).waitFor();
    await page.locator(".title .badge", { hasText: "cancelled" }).waitFor();
    await page.locator("#ran-slow .argv", { hasText: "--bwlimit=300" }).waitFor();
    expect(daemon.control.status().runs).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("names whom a blocked job waits for, and goes on when the lock is gone", async () => {
    const daemon = await runDaemonHere((path) => ({
      jobs: [
        copyJob(path, { id: "patient", blocks_on: [{ type: "local", path: path("locks/other"), wait_time: "1s" }] }),
      ],
    }));
    const { instance, control } = daemon;
    await writeFile(instance.path("source/file"), "x");
    await writeFile(instance.path("locks/other"), "laptop01 on host laptop (pid 4711)\n");
    const { page } = await openPage(daemon);
    expect(control.run(["patient"], "test")).toMatchObject({ kind: "done" });
    const wait = page.locator("#job-patient .wait");
    await wait.waitFor();
    const text = (await wait.textContent())?.replaceAll(/\s+/g, " ");
    expect(text).toContain(`Waiting for ${instance.path("locks/other")}, held by`);
    expect(text).toContain("laptop01");
    await rm(instance.path("locks/other"));
    await page.locator("#group-rest #job-patient, #group-off #job-patient").waitFor();
    await page.locator("#job-patient .strip rect.good").waitFor({ state: "attached" });
  });

  it("pauses a job, and says that a copy that fails is not fresh and why", async () => {
    const daemon = await runDaemonHere((path) => ({
      jobs: [{ ...copyJob(path, { id: "broken" }), actions: [{ action: "command", id: "no", command: "false" }] }],
    }));
    const { page } = await openPage(daemon);
    await page.getByRole("button", { name: "Run now broken" }).click();
    await page
      .locator("#group-attention #job-broken", { hasText: "Last run failed" })
      .or(page.locator("#group-attention #job-broken", { hasText: "Never copied" }))
      .first()
      .waitFor();
    await page.locator("#job-broken .strip rect.bad").waitFor({ state: "attached" });
    expect(await page.locator("#verdict").textContent()).toMatch(/broken has never been copied, the last run failed: /);
    await page.getByRole("button", { name: "Pause… broken" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
    await page.locator("#job-broken .paused", { hasText: "Paused until" }).waitFor();
    expect(daemon.control.status().jobs[0]?.paused).toMatchObject({ by: "page" });
  });
});

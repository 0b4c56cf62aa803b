import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DirectorControl } from "../../../../src/web/director-control.ts";
import { chooseEncoding } from "../../../../src/web/page/assets.ts";
import { createFakeControl } from "../../../support/fake-control.ts";
import { startPage } from "../../../support/page-in-memory.ts";
import { runsOf, statusWith } from "../../../support/page-samples.ts";
import { failedRunId, finishedRunId, runningRunId, sampleJob, sampleStatus } from "../../../support/status-samples.ts";

const pages = [
  "/",
  "/jobs/home",
  "/runs",
  `/runs/${runningRunId}`,
  `/runs/${finishedRunId}`,
  "/locks",
  "/changes",
  "/changes/7",
];

describe("every page", () => {
  it.each(pages)("%s is a document with one heading, a language, landmarks, and a strict policy", async (path) => {
    const { get } = await startPage(createFakeControl());
    const { statusCode, headers, body } = await get(path);
    expect(statusCode).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["content-security-policy"]).toMatch(/default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(headers["content-security-policy"]).not.toMatch(/unsafe|http|\*/);
    expect(body).toMatch(/^<!doctype html>\s*<html lang="en">/);
    expect(body.match(/<h1\b/g)).toHaveLength(1);
    expect(body.match(/<main\b/g)).toHaveLength(1);
    // The policy would block them, and nobody would notice that something is missing.
    expect(body).not.toMatch(/\sstyle="|<style|\son\w+="|javascript:/);
    expect([...body.matchAll(/<script\b[^>]*>([^<]*)/g)].map(([, inside]) => inside)).toEqual([""]);
    expect(body).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it.each([...pages, "/jobs/photos"])("%s has no id twice", async (path) => {
    const { read } = await startPage(createFakeControl());
    const ids = [...(await read(path)).matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });

  it("has buttons only where something may be done", async () => {
    for (const path of pages) {
      const allowed = await (await startPage(createFakeControl())).read(path);
      const refused = await (await startPage(createFakeControl(), { actions: false })).read(path);
      expect(refused).not.toContain("data-post");
      if (path === "/" || path === "/jobs/home") expect(allowed).toContain("data-post");
    }
  });
});

describe("the overview", () => {
  it("answers whether all is fresh, what runs, what waits and why, what failed and why, and what is next", async () => {
    const body = (await (await startPage(createFakeControl())).read("/"))
      .replaceAll(/<[^>]*>/g, "")
      .replaceAll(/\s+/g, " ");
    expect(body).toContain("3 of 4 jobs are fresh; photos is stale (vault: last success 3d ago)");
    expect(body).toMatch(/copy 62% 3\.22 GB at 12\.6 MB\/s 2m left/);
    expect(body).toContain(
      "Waiting for nas:/run/rsyncdirector-locks/mail.lock, held by laptop01 on host laptop (pid 4711), since 21:48 (12m)",
    );
    expect(body).toContain("copy to vault: rsync exit 23 (some files could not be transferred)");
    expect(body).toContain("17 changes are pending, the oldest from 2d ago");
    expect(body).toMatch(/Next run in 4h/);
    expect(body).toContain("Paused until 23:00 by root: the disk is being replaced.");
  });

  it("says of a job, here and on its page, what its locks cannot do, and nothing of one whose locks do everything", async () => {
    const reason = "its account runs no commands";
    const limits = {
      fencing: { state: "unfenced", reason },
      lockLimits: [{ host: "nas", mode: "sftp", detail: "This service allows sftp connections only." }],
    } as const;
    const jobs = [sampleJob("bare", limits), sampleJob("held", { fencing: { state: "fenced", reason: null } })];
    const { read } = await startPage(createFakeControl({ status: sampleStatus({ jobs }) }));
    const unfenced = `Unfenced: only its lock files keep other writers away (${reason})`;
    const reduced =
      "Locks on nas go over sftp only, where a stale one stays until a person removes it " +
      "(This service allows sftp connections only.)";
    const overview = await read("/");
    for (const body of [overview, await read("/jobs/bare")]) {
      expect(body.split(unfenced)).toHaveLength(2);
      expect(body.split(reduced)).toHaveLength(2);
    }
    expect(await read("/jobs/held")).not.toMatch(/unfenced|over sftp/i);
  });

  it("leaves out the strips where a browser has them, and asks for no history then", async () => {
    const control = createFakeControl();
    let asked = 0;
    const counting: DirectorControl = {
      ...control,
      recentRuns: (jobId) => {
        asked += 1;
        return control.recentRuns(jobId);
      },
    };
    const { read } = await startPage(counting);
    const lean = await read("/?fragment=lean");
    expect(asked).toBe(0);
    expect(lean).not.toContain('class="bars"');
    expect(lean).not.toContain("<html");
    expect(await read("/?fragment=full")).toContain('class="bars"');
  });

  it("gives the worst sixty jobs a card, and every other a line", async () => {
    const status = statusWith(500);
    const control = createFakeControl({ status });
    control.records.push(...runsOf(status.jobs.slice(0, 40)));
    const { get, read } = await startPage(control);
    const body = await read("/");
    expect(body.match(/<article class="job/g)).toHaveLength(60);
    expect(body).toContain("440 more jobs");
    for (const { jobId } of status.jobs) expect(body).toContain(`id="job-${jobId}"`);
    expect(body.indexOf("job-photos")).toBeLessThan(body.indexOf("job-home"));
    const { rawPayload } = await get("/", { "accept-encoding": "br" });
    expect(rawPayload.length).toBeLessThan(60_000);
    expect(await read("/?q=HOST-49")).toContain("host-49");
    expect(await read("/?q=HOST-49")).not.toContain('id="job-home"');
  });

  it("opens the folded jobs when some of them are in trouble", async () => {
    const jobs = Array.from({ length: 70 }, (_, index) => sampleJob(`j${index}`, { freshness: "stale" }));
    const { read } = await startPage(createFakeControl({ status: sampleStatus({ jobs }) }));
    expect(await read("/")).toMatch(/<details class="folded" id="folded" open>/);
  });
});

describe("a job and a run", () => {
  it("tells why the job failed last, with charts and the same figures in a table", async () => {
    const status = sampleStatus();
    const control = createFakeControl({ status });
    control.records.push(...runsOf(status.jobs));
    const body = await (await startPage(control)).read("/jobs/photos");
    expect(body).toContain(`/runs/${failedRunId}`);
    expect(body).toContain("rsync exit 23");
    expect(body.match(/<figure class="chart"/g)).toHaveLength(2);
    expect(body.match(/role="row"/g)?.length).toBeGreaterThan(30);
    expect(body).toContain("2026-11-30 02:00:00 (in 4h)");
  });

  it("shows command, statistics, exit status, output and locks of a run that has ended", async () => {
    const { read } = await startPage(createFakeControl());
    const body = await read(`/runs/${finishedRunId}`);
    for (const text of [
      "rsync -a /home/ nas:/srv/home/",
      "exit status 0",
      "12 files, 48.0 kB",
      "sending incremental",
      "acquired",
      "waited 1.2s",
    ])
      expect(body).toContain(text);
    expect(body).not.toContain('id="log"');
  });

  it("shows what a run in progress has written so far, also without JavaScript", async () => {
    const control = createFakeControl();
    const of = { runId: runningRunId, jobId: "home", actionId: "copy", targetId: "", attempt: 1 };
    control.emit("action:output", { ...of, stream: "stderr", line: "file has vanished" });
    const body = await (await startPage(control)).read(`/runs/${runningRunId}`);
    expect(body).toContain('<p class="error">file has vanished</p>');
    expect(control.listeners().events).toBe(0);
  });

  it("says once in a run's log what a job that waits says at each of its looks", async () => {
    const control = createFakeControl();
    const of = { runId: runningRunId, jobId: "home", place: { host: "nas", path: "/l" } };
    const blocked = { ...of, state: "held", owner: "laptop", detail: "" } as const;
    for (const at of [1, 2, 3]) control.emit("job:blocked", { ...blocked, at });
    control.emit("job:blocked", { ...blocked, owner: "desktop", at: 4 });
    const body = await (await startPage(control)).read(`/runs/${runningRunId}`);
    expect(body.match(/home: waits for nas:\/l, held by \w+/g)).toEqual([
      "home: waits for nas:/l, held by laptop",
      "home: waits for nas:/l, held by desktop",
    ]);
  });

  it("tells of a run that has just ended what the director remembers, where the history does not work", async () => {
    const control = createFakeControl();
    control.historyWorks = false;
    const of = { runId: runningRunId, jobId: "home", actionId: "copy", targetId: "", attempt: 1 };
    control.emit("action:output", { ...of, stream: "stderr", line: "file has vanished" });
    await control.cancel(runningRunId, "test");
    const { statusCode, body } = await (await startPage(control)).get(`/runs/${runningRunId}`);
    expect(statusCode).toBe(200);
    expect(body).toContain("It has ended, and the history does not work");
    expect(body).toContain('<p class="error">file has vanished</p>');
    expect(body).toContain("run ended: cancelled");
  });

  it("says what is not there with 404, and what the history cannot tell", async () => {
    const control = createFakeControl();
    const { get, read } = await startPage(control);
    for (const path of ["/jobs/none", "/runs/none", "/changes/x", "/changes/99", "/assets/none/main.js"]) {
      expect((await get(path)).statusCode, path).toBe(404);
    }
    control.historyWorks = false;
    expect(await read("/runs")).toContain("The history does not work");
    expect(await read("/jobs/home")).toContain("The history does not work");
    expect((await get(`/runs/${runningRunId}`)).statusCode).toBe(200);
    expect(await get("/runs/none")).toMatchObject({
      statusCode: 503,
      body: expect.stringContaining("nobody can say what became of a run"),
    });
    control.recorded = undefined;
    expect(await read("/changes")).toContain("No job tracks its changes");
  });
});

describe("scripts and styles", () => {
  it("have names that change with them, may be kept for ever, and nothing else is served", async () => {
    const { get, read } = await startPage(createFakeControl());
    const path = /\/assets\/[0-9a-f]{12}/.exec(await read("/"))?.[0] ?? "";
    const { headers, body } = await get(`${path}/main.js`);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect(body).toContain("export {}");
    for (const name of ["secret.txt", "../main.js", "%2e%2e/%2e%2e/package.json", "", "constructor", "__proto__"]) {
      expect((await get(`${path}/${name}`)).statusCode, name).toBe(404);
    }
  });

  it("and pages are sent compressed to those who can read it", async () => {
    const { get } = await startPage(createFakeControl());
    const plain = await get("/");
    const br = await get("/", { "accept-encoding": "gzip, deflate, br" });
    const gzip = await get("/", { "accept-encoding": "gzip" });
    expect([plain, br, gzip].map(({ headers }) => headers["content-encoding"])).toEqual([undefined, "br", "gzip"]);
    expect(brotliDecompressSync(br.rawPayload).toString()).toBe(plain.body);
    expect(gunzipSync(gzip.rawPayload).toString()).toBe(plain.body);
  });

  it.each([
    [undefined, "identity"],
    ["br;q=0, gzip", "gzip"],
    ["BR", "br"],
    ["gzip;q=0.5", "gzip"],
    ["gzip;q=0.0", "identity"],
    ["*", "identity"],
  ])("a browser that takes %s gets %s", (accepted, encoding) => {
    expect(chooseEncoding(accepted)).toBe(encoding);
  });
});

import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, onTestFinished } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { type Instance, makeInstance, reach } from "../support/instance.ts";
import {
  alertsFile,
  alertTestFiles,
  asGrafanaAsks,
  dashboardQueries,
  readAlerts,
  scrapeFile,
} from "../support/monitoring-resources.ts";
import { projectRoot } from "../support/project-files.ts";
import { startAlertmanager, startPrometheus, type TestPrometheus } from "../support/prometheus.ts";
import { namesIn } from "../support/promql-names.ts";
import { startSshd } from "../support/sshd.ts";

const missing = ["prometheus", "promtool", "prometheus-alertmanager"].filter(
  (name) => findProgram(name, process.env["PATH"] ?? "") === undefined,
);
if (missing.length > 0)
  console.warn(`what Prometheus makes of the metrics is not tested: no ${missing.join(", ")} here`);

const inProject = (file: string) => join(projectRoot, file);
const deadline = { timeout: 60_000, interval: 200 };

/** A job of every kind that has metrics of its own: it fails, waits for others, watches, has several targets. */
async function makeEveryJob(): Promise<Instance> {
  const sshd = await startSshd();
  onTestFinished(() => sshd.stop());
  const instance = await makeInstance(({ path }) => ({
    ssh: { known_hosts_file: sshd.knownHostsFile, connect_timeout: 30 },
    notify: [{ type: "command", command: "/bin/true" }],
    jobs: [
      {
        ...{ id: "fails", type: "local" },
        blocks_on: [{ type: "local", path: path("locks/other"), wait_time: 1 }],
        actions: [{ action: "command", id: "no", command: "/bin/false" }],
      },
      {
        ...{ id: "watched", type: "remote", retry: { limit: 0, delay: "1s", max_delay: "3s" } },
        targets: ["one", "two"].map((id) => ({ ...reach(sshd), id, dest: path("dest", id) })),
        watch: { debounce: "300ms", max_delay: "2s", full_sync_interval: "1h" },
        actions: [{ action: "sync", id: "copy", source: `${path("source")}/`, dest: "/by-target", opts: ["-a"] }],
      },
    ],
  }));
  for (const id of ["one", "two"]) await mkdir(instance.path("dest", id));
  await writeFile(instance.path("source", "file"), "text\n");
  return instance;
}

/** The alert rules with no duration to wait for. */
async function hastenRules(file: string): Promise<string> {
  await writeFile(file, (await readFile(inProject(alertsFile), "utf8")).replaceAll(/^( +for:).*$/gm, "$1 0s"));
  return file;
}

/** Where alerts arrive at last: every one of them that was posted. */
async function openWebhook() {
  const received: { status: string; labels: Record<string, string>; annotations: Record<string, string> }[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    request.on("end", () => {
      received.push(...(JSON.parse(text) as { alerts: typeof received }).alerts);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

type Vector = { result: { metric: Record<string, string>; value: [number, string] }[] };
const query = async (prometheus: TestPrometheus, expression: string) =>
  ((await prometheus.ask("query", { query: expression })) as Vector).result;

describe.skipIf(missing.length > 0)("a real Prometheus", () => {
  it("finds the alert rules and the example of a configuration right, and every alert fires in its test", async () => {
    const { stdout } = await execa("promtool", ["check", "rules", inProject(alertsFile)]);
    expect(stdout).toContain(`SUCCESS: ${readAlerts().length} rules found`);
    await execa("promtool", ["test", "rules", ...alertTestFiles.map(inProject)]);
    const directory = await mkdtemp(join(tmpdir(), "rsyncdirector-prometheus-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const example = (await readFile(inProject(scrapeFile), "utf8")).replace(
      "/etc/prometheus/rsyncdirector/alerts.yaml",
      inProject(alertsFile),
    );
    await writeFile(join(directory, "prometheus.yml"), example);
    expect((await execa("promtool", ["check", "config", join(directory, "prometheus.yml")])).stdout).toContain(
      "1 rule files found",
    );
  });

  it("scrapes a director, answers every query of the dashboard, and tells of a failing job as far as a webhook", async () => {
    const instance = await makeEveryJob();
    const director = await instance.start();
    const webhook = await openWebhook();
    const alertmanager = await startAlertmanager({ directory: instance.path("alertmanager"), webhook: webhook.url });
    const prometheus = await startPrometheus({
      directory: instance.path("prometheus"),
      directorPort: instance.metricsPort,
      ruleFile: await hastenRules(instance.path("alerts.yaml")),
      alertmanagerPort: alertmanager.port,
    });
    await director.waitForLine(({ msg, outcome }) => msg === "run finished" && outcome === "ok");
    // A rate needs two scrapes, of which the second has seen the first run of the watched job.
    await expect
      .poll(() => query(prometheus, 'rsyncdirector_last_run_status{job_id="watched"} == 0'), deadline)
      .toHaveLength(1);
    await expect.poll(() => query(prometheus, "count_over_time(up[1m]) > 2"), deadline).toHaveLength(1);
    const firing = async () =>
      (await query(prometheus, 'ALERTS{alertstate="firing"}')).map(
        ({ metric }) => `${metric["alertname"]} ${metric["job_id"]}`,
      );
    // Before the first scrape there was no director for Prometheus, which is an alert too.
    await expect.poll(firing, deadline).toEqual([]);

    const { stdout, stderr } = await execa("promtool", ["check", "metrics"], { input: await instance.scrape() });
    expect(stdout + stderr).toBe("");
    for (const { place, expression } of dashboardQueries()) {
      const asked = asGrafanaAsks(expression);
      expect(await query(prometheus, asked), `${place}: ${asked}`).not.toEqual([]);
    }
    const expressions = [
      ...dashboardQueries().map(({ expression }) => expression),
      ...readAlerts().map(({ expr }) => expr),
    ];
    for (const { name, labels } of expressions.flatMap((expression) => namesIn(expression).metrics)) {
      const series = (await prometheus.ask("series", { "match[]": name })) as Record<string, string>[];
      expect(series, name).not.toEqual([]);
      expect(
        labels.filter((label) => !series.some((one) => label in one)),
        name,
      ).toEqual([]);
    }

    director.signal("SIGHUP");
    await director.waitForLine(
      ({ msg, jobId, job, outcome }) =>
        msg === "job finished" && [jobId, job].includes("fails") && outcome === "failed",
    );
    await expect.poll(firing, deadline).toEqual(["RsyncDirectorJobFailing fails"]);
    const { alerts } = (await prometheus.ask("alerts")) as {
      alerts: { state: string; labels: Record<string, string> }[];
    };
    expect(alerts).toMatchObject([
      { state: "firing", labels: { alertname: "RsyncDirectorJobFailing", job_id: "fails", severity: "warning" } },
    ]);
    const arrived = () => webhook.received.filter(({ labels }) => labels["alertname"] === "RsyncDirectorJobFailing");
    await expect.poll(() => arrived().length, deadline).toBeGreaterThan(0);
    expect(arrived()[0]).toMatchObject({
      status: "firing",
      labels: { alertname: "RsyncDirectorJobFailing", job_id: "fails" },
      annotations: {
        summary: `Job fails on 127.0.0.1:${instance.metricsPort} failed`,
        description: expect.stringContaining("`rsyncdirector history --job fails --config FILE`"),
      },
    });
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    await expect.poll(firing, deadline).toEqual(["RsyncDirectorDown undefined"]);
  });
});

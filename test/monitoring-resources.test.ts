import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { metricList, type MetricDefinition } from "../src/metrics/metric-list.ts";
import { commandComplaint } from "./support/command-lines.ts";
import {
  alertTestFiles,
  dashboardQueries,
  readAlerts,
  readDashboard,
  scrapeFile,
} from "./support/monitoring-resources.ts";
import { readProjectFile } from "./support/project-files.ts";
import { namesIn } from "./support/promql-names.ts";

const definitions: readonly MetricDefinition[] = Object.values(metricList);
const byPrometheus = ["job", "instance"];
const alerts = readAlerts();

/** Names and labels of an expression that no metric of the list has. */
function unknownNames(expression: string): string[] {
  const { metrics, groupLabels } = namesIn(expression);
  if (metrics.length === 0) return [`no metric in ${expression}`];
  const known = metrics.map(({ name }) => definitionOf(name));
  const wrongMetrics = metrics.flatMap(({ name, labels }, index) => {
    const definition = known[index];
    if (definition === undefined) return [name];
    return labels
      .filter((label) => ![...byPrometheus, ...definition.labels].includes(label))
      .map((label) => `${name}.${label}`);
  });
  const everyLabel = new Set([...byPrometheus, ...known.flatMap((definition) => definition?.labels ?? [])]);
  return [...wrongMetrics, ...groupLabels.filter((label) => !everyLabel.has(label))];
}

function definitionOf(name: string): { labels: readonly string[] } | undefined {
  if (name === "up") return { labels: [] };
  return definitions.find(
    (metric) =>
      metric.name === name || (metric.type === "histogram" && name.replace(/_(sum|count|bucket)$/, "") === metric.name),
  );
}

describe("names of an expression", () => {
  it.each([
    ["up", [["up"]], []],
    ['a{b="{c}", d!~"e", f=~"g"} > 2 * 3600', [["a", "b", "d", "f"]], []],
    [
      "sum by (x, y) (rate(a_total[5m])) / on (x) group_left () time() - b offset 1h",
      [["a_total"], ["b"]],
      ["x", "y", "x"],
    ],
    ["count(a == bool 4) or absent(b{c='d'})", [["a"], ["b", "c"]], []],
  ])("are read rightly: %s", (expression, metrics, groupLabels) => {
    const names = namesIn(expression);
    expect(names.metrics.map(({ name, labels }) => [name, ...labels])).toEqual(metrics);
    expect(names.groupLabels).toEqual(groupLabels);
  });

  it("are told when no metric has them", () => {
    expect(unknownNames('sum by (wrong) (rsyncdirector_jobs_state) + lock_files{target="x"}')).toEqual([
      "rsyncdirector_jobs_state",
      "lock_files.target",
      "wrong",
    ]);
  });
});

describe("the alerts", () => {
  it("ask only for metrics and labels that exist", () => {
    expect(alerts.flatMap(({ expr }) => unknownNames(expr))).toEqual([]);
  });

  it("use only labels of their metrics in their texts", () => {
    const wrong = alerts.flatMap(({ alert, expr, annotations }) => {
      const labels = [
        ...byPrometheus,
        ...namesIn(expr).metrics.flatMap(({ name }) => definitionOf(name)?.labels ?? []),
      ];
      const used = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? "");
      return used.filter((label) => !labels.includes(label)).map((label) => `${alert}: ${label}`);
    });
    expect(wrong).toEqual([]);
  });

  it("have a duration, a severity and a text each, and names of their own", () => {
    for (const rule of alerts) {
      expect(rule).toMatchObject({
        alert: expect.stringMatching(/^RsyncDirector[A-Z]/),
        for: expect.stringMatching(/^\d+[mhd]$/),
        labels: { severity: expect.stringMatching(/^(critical|warning)$/) },
        annotations: { summary: expect.stringMatching(/./), description: expect.stringMatching(/`[^`]+`/) },
      });
    }
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  it("name only commands that the program has", async () => {
    const commands = alerts.flatMap(({ annotations }) =>
      [...(annotations?.description ?? "").matchAll(/`(rsyncdirector [^`]+)`/g)].map(([, line]) => line ?? ""),
    );
    expect(commands.length).toBeGreaterThan(alerts.length / 2);
    const complaints = await Promise.all(
      commands.map((line) => commandComplaint(line.replaceAll(/\{\{[^}]*\}\}/g, "JOB"))),
    );
    expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([]);
  });

  it("are seen to fire in a test of Prometheus' own each", () => {
    const texts = alertTestFiles.map((file) => readProjectFile(file)).join("");
    const fired = new Set(
      [...texts.matchAll(/ALERTS\{alertname="(\w+)",alertstate="firing"/g)].map(([, name = ""]) => name),
    );
    expect([...fired].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
  });

  it("are all explained in docs/monitoring.md, with their duration, and no others", () => {
    const rows = [...readProjectFile("docs/monitoring.md").matchAll(/^\| `(RsyncDirector\w+)` +\| (\w+) +\| (\w+) /gm)];
    expect(rows.map(([, ...row]) => row)).toEqual(
      alerts.map(({ alert, labels, for: time }) => [alert, labels?.severity, time === "0m" ? "none" : time]),
    );
  });

  it("find the scrape job that the example makes", () => {
    const { scrape_configs } = parse(readProjectFile(scrapeFile)) as { scrape_configs: { job_name: string }[] };
    const selected = alerts.flatMap(({ expr }) => [...expr.matchAll(/job="(\w+)"/g)].map(([, name]) => name));
    expect(new Set(selected)).toEqual(new Set(scrape_configs.map(({ job_name }) => job_name)));
  });
});

describe("the dashboard", () => {
  const { panels } = readDashboard();

  it("asks only for metrics and labels that exist", () => {
    expect(dashboardQueries().length).toBeGreaterThan(30);
    expect(dashboardQueries().flatMap(({ expression }) => unknownNames(expression))).toEqual([]);
  });

  it("takes its data from the source that is chosen", () => {
    const elsewhere = JSON.stringify(readDashboard()).match(/"uid":"(?!\$\{datasource\}|rsyncdirector)[^"]*"/g);
    expect(elsewhere).toBeNull();
    const withoutSource = panels.filter(({ targets, datasource }) => targets !== undefined && datasource === undefined);
    expect(withoutSource).toEqual([]);
  });
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { metricList, type MetricDefinition } from "../../../src/metrics/metric-list.ts";

const page = readFileSync(new URL("../../../docs/monitoring.md", import.meta.url), "utf8");
const definitions: readonly MetricDefinition[] = Object.values(metricList);

test("docs/monitoring.md describes every metric with its type and labels, and no other", () => {
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| (\w+) +\| ([^|]+) \|/gm)];
  const described = rows.map(([, name, type, labels]) => `${name} ${type} ${labels?.trim()}`);
  const expected = definitions.map(({ name, type, labels }) => {
    const shown = labels.length === 0 ? "–" : labels.map((label) => `\`${label}\``).join(", ");
    return `${name} ${type} ${shown}`;
  });
  expect(described.toSorted()).toEqual(expected.toSorted());
});

test("names are unique, and ours have the prefix", () => {
  const names = definitions.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const others = names.slice(9).filter((name) => !/^(rsyncdirector|process)_/.test(name));
  expect(others).toEqual([]);
});

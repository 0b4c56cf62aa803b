import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { exposeMetric } from "./exposition.ts";
import { metricList, type MetricDefinition, type MetricKey } from "./metric-list.ts";

interface Classes {
  Registry: new () => Registry;
  Counter: typeof Counter;
  Gauge: typeof Gauge;
  Histogram: typeof Histogram;
}

type Definition<Key extends MetricKey> = (typeof metricList)[Key];
type Label<Key extends MetricKey> = Definition<Key>["labels"][number];
type MetricOf<Key extends MetricKey> = Definition<Key>["type"] extends "counter"
  ? Counter<Label<Key>>
  : Definition<Key>["type"] extends "histogram"
    ? Histogram<Label<Key>>
    : Gauge<Label<Key>>;

export type MetricSet = { readonly [Key in MetricKey]: MetricOf<Key> };

export interface Metrics {
  readonly set: MetricSet;
  /** The answer to a scrape in pieces, as they are kept, and its media type. */
  scrape(): Promise<readonly Buffer[]>;
  readonly contentType: string;
  /** Calls `refresh` at the begin of every scrape. */
  beforeScrape(refresh: () => void): void;
}

/** Creates every metric of the list in a registry of its own. Loads prom-client. */
export function createMetrics(options: { version: string }): Metrics {
  const classes = loadPromClient();
  const registry = new classes.Registry();
  const changed = new Set<MetricKey>();
  const texts = new Map<MetricKey, Buffer>();
  const refreshes: (() => void)[] = [() => readProcess(set)];
  const entries = Object.entries(metricList).map(([key, definition]) => {
    const metric = create(classes, registry, definition);
    watchChanges(metric, () => changed.add(key as MetricKey));
    return [key, metric];
  });
  const set = Object.fromEntries(entries) as MetricSet;
  set.buildInfo.set({ version: options.version, node: process.versions.node }, 1);
  set.historyOk.set(1);
  set.processStart.set(Math.round(Date.now() / 1000 - process.uptime()));
  return {
    set,
    contentType: registry.contentType,
    beforeScrape: (refresh) => void refreshes.push(refresh),
    scrape: async () => {
      for (const refresh of refreshes) refresh();
      // One after the other: what prom-client makes for one of them is garbage before the next.
      for (const key of changed) {
        changed.delete(key);
        texts.set(key, Buffer.from(`${await exposeMetric(set[key])}\n\n`));
      }
      return [...texts.values()];
    },
  };
}

/**
 * With a thousand jobs a scrape takes prom-client 100 ms and more, and the director stands still for
 * it. Most of the text is the same as last time, so only metrics that were touched are rendered anew;
 * it is kept as bytes, which go to the socket as they are.
 */
function watchChanges(metric: unknown, onChange: () => void): void {
  const methods = metric as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  onChange();
  for (const name of ["inc", "set", "observe", "zero", "remove"]) {
    const method = methods[name];
    if (method === undefined) continue;
    methods[name] = (...args) => {
      onChange();
      return method.apply(metric, args);
    };
  }
}

/**
 * prom-client's front door also loads its cluster, push gateway, default metrics and the
 * OpenTelemetry interface: 25 to 40 ms of our start, against 8 for what is used here.
 */
function loadPromClient(): Classes {
  const require = createRequire(import.meta.url);
  const load = (file: string): unknown => require(`prom-client/lib/${file}.js`);
  return {
    Registry: load("registry"),
    Counter: load("counter"),
    Gauge: load("gauge"),
    Histogram: load("histogram"),
  } as Classes;
}

function create(classes: Classes, registry: Registry, definition: MetricDefinition): unknown {
  const { type, name, help, labels, buckets } = definition;
  const common = { name, help, labelNames: [...labels], registers: [registry] };
  switch (type) {
    case "counter":
      return new classes.Counter(common);
    case "gauge":
      return new classes.Gauge(common);
    case "histogram":
      return new classes.Histogram({ ...common, buckets: [...(buckets ?? [])] });
  }
}

function readProcess(set: MetricSet): void {
  const { user, system } = process.cpuUsage();
  // A counter can only grow by something; what the system reports is the whole.
  set.processCpu.reset();
  set.processCpu.inc((user + system) / 1e6);
  set.processMemory.set(process.memoryUsage.rss());
  set.processFiles.set(readdirSync("/proc/self/fd").length);
}

import type { Counter, Gauge, Histogram } from "prom-client";

type Labels = Readonly<Record<string, string | number | undefined>>;

/** What prom-client keeps of a histogram. To ask it for its values would make 21 objects for each series, and their labels. */
interface KeptHistogram {
  readonly name: string;
  readonly help: string;
  readonly upperBounds: readonly number[];
  readonly hashMap: Readonly<Record<string, KeptSeries>>;
}

interface KeptSeries {
  readonly labels: Labels;
  /** Observations in each bucket, by its upper bound; not those of the buckets below. */
  readonly bucketValues: Readonly<Record<number, number>>;
  readonly sum: number;
  readonly count: number;
}

/**
 * A metric in Prometheus' text format, byte for byte as prom-client's registry writes it; but that makes lists and texts
 * for each label of each series, and takes ten times as long.
 */
export async function exposeMetric(metric: Counter | Gauge | Histogram): Promise<string> {
  if ("upperBounds" in metric) return exposeHistogram(metric as unknown as KeptHistogram);
  const { name, help, type, values } = await metric.get();
  const lines = values.map(({ labels, value }) => lineOf(name, exposeLabels(labels), value));
  return [...headOf(name, { help, type: String(type) }), ...lines].join("\n");
}

function exposeHistogram({ name, help, upperBounds, hashMap }: KeptHistogram): string {
  const bucketLabels = [...upperBounds, "+Inf"].map((bound) => `le="${bound}"`);
  const lines = Object.values(hashMap).map(({ labels, bucketValues, sum, count }) => {
    const own = exposeLabels(labels);
    let below = 0;
    const counts = upperBounds.map((bound) => (below += bucketValues[bound] ?? 0));
    const buckets = [...counts, count].map((value, index) =>
      lineOf(`${name}_bucket`, joinLabels(bucketLabels[index] ?? "", own), value),
    );
    return [...buckets, lineOf(`${name}_sum`, own, sum), lineOf(`${name}_count`, own, count)].join("\n");
  });
  return [...headOf(name, { help, type: "histogram" }), ...lines].join("\n");
}

function headOf(name: string, { help, type }: { help: string; type: string }): string[] {
  return [`# HELP ${name} ${escapeText(help)}`, `# TYPE ${name} ${type}`];
}

function lineOf(name: string, labels: string, value: number): string {
  return labels === "" ? `${name} ${exposeNumber(value)}` : `${name}{${labels}} ${exposeNumber(value)}`;
}

function joinLabels(one: string, other: string): string {
  if (one === "" || other === "") return one + other;
  return `${one},${other}`;
}

function exposeLabels(labels: Labels): string {
  let text = "";
  for (const label of Object.keys(labels)) text = joinLabels(text, `${label}="${escapeLabel(String(labels[label]))}"`);
  return text;
}

function exposeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Hardly any has something to escape. */
function escapeLabel(text: string): string {
  return /["\\\n]/.test(text) ? escapeText(text).replaceAll('"', '\\"') : text;
}

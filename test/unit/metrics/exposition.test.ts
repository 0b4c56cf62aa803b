import fc from "fast-check";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { expect, test } from "vitest";
import { exposeMetric } from "../../../src/metrics/exposition.ts";

const labels = fc.record({
  job_id: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('a"b', "a\\n", "a\nb", "")),
  target: fc.string(),
});
const values = fc.array(fc.tuple(labels, fc.double({ noNaN: true })), { maxLength: 6 });
const common = { name: "some_total", help: "With \\ and\na second line.", labelNames: ["job_id", "target"] };

test("a counter reads as prom-client writes it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(labels, fc.double({ min: 0, max: 1e300, noNaN: true }))), async (given) => {
      const registry = new Registry();
      const counter = new Counter({ ...common, registers: [registry] });
      for (const [of, value] of given) counter.inc(of, value);
      expect(await exposeMetric(counter)).toBe(await registry.getSingleMetricAsString(common.name));
    }),
  );
});

test("a gauge reads as prom-client writes it, with and without labels", async () => {
  await fc.assert(
    fc.asyncProperty(values, async (given) => {
      const registry = new Registry();
      const gauge = new Gauge({ ...common, registers: [registry] });
      const bare = new Gauge({ name: "bare", help: "None.", registers: [registry] });
      for (const [of, value] of given) {
        gauge.set(of, value);
        bare.set(value);
      }
      expect(await exposeMetric(gauge)).toBe(await registry.getSingleMetricAsString(common.name));
      expect(await exposeMetric(bare)).toBe(await registry.getSingleMetricAsString("bare"));
    }),
  );
});

test("a histogram reads as prom-client writes it, observed or not", async () => {
  const observed = fc.array(fc.tuple(labels, fc.option(fc.double({ min: -10, max: 100, noNaN: true }))), {
    maxLength: 9,
  });
  await fc.assert(
    fc.asyncProperty(observed, async (given) => {
      const registry = new Registry();
      const histogram = new Histogram({ ...common, buckets: [0.1, 1, 10, 60], registers: [registry] });
      const bare = new Histogram({ name: "bare", help: "None.", buckets: [1], registers: [registry] });
      for (const [of, value] of given) {
        if (value === null) histogram.zero(of);
        else {
          histogram.observe(of, value);
          bare.observe(value);
        }
      }
      expect(await exposeMetric(histogram)).toBe(await registry.getSingleMetricAsString(common.name));
      expect(await exposeMetric(bare)).toBe(await registry.getSingleMetricAsString("bare"));
    }),
  );
});

import type { Metrics } from "../../src/metrics/metrics.ts";

/** What Prometheus would read. */
export async function scrapeText(metrics: Pick<Metrics, "scrape">): Promise<string> {
  return Buffer.concat(await metrics.scrape()).toString();
}

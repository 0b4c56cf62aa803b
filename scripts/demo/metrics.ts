/** What a monitoring system would see; the lines that tell the demo's story. */
const interesting =
  /^(runs_completed_total|blocked_total|blocked_seconds_sum|job_duration_seconds_(sum|count)|lock_files|rsyncdirector_last_success_timestamp_seconds)\b/;

export function metricsUrl(port: number): string {
  return `http://127.0.0.1:${port}/metrics`;
}

/** Resolves when the director answers; rejects when it has not after 20 seconds. */
export async function waitForMetrics(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const response = await fetch(metricsUrl(port)).catch(() => undefined);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing answers at ${metricsUrl(port)}`);
}

export async function interestingMetrics(port: number): Promise<string[]> {
  const response = await fetch(metricsUrl(port));
  return (await response.text()).split("\n").filter((line) => interesting.test(line));
}

import { until } from "./directors.ts";

/** What Prometheus lacks of the directors: each has to be up, and to have ended so many runs. */
export async function askPrometheus(directors: readonly string[], runs: number): Promise<string[]> {
  let complaints: string[] = [];
  await until("Prometheus knows every run", async () => {
    complaints = await compare(directors, runs).catch((error: unknown) => [String(error)]);
    return complaints.length === 0 ? true : undefined;
  }).catch((error: unknown) => complaints.push(String(error)));
  return complaints;
}

async function compare(directors: readonly string[], runs: number): Promise<string[]> {
  const [up, completed] = await Promise.all([query("up == 1"), query(`runs_completed_total >= ${runs}`)]);
  return directors.flatMap((director) => {
    const isUp = up.some(({ instance }) => instance === `${director}:9090`);
    const hasRun = completed.some(({ rsync_id: id }) => id === director);
    return [isUp ? [] : `${director} is not up`, hasRun ? [] : `${director} has not ended ${runs} runs`].flat();
  });
}

/** The labels of every series that the expression gives. */
async function query(expression: string): Promise<Record<string, string>[]> {
  const response = await fetch(`http://prometheus:9090/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const { data } = (await response.json()) as { data: { result: { metric: Record<string, string> }[] } };
  return data.result.map(({ metric }) => metric);
}

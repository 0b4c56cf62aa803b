import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { areas } from "../bench/all-rows.ts";
import { describePerformance } from "../bench/report/performance-files.ts";
import { readResults } from "../bench/results.ts";

/** docs/performance.md and its charts as the committed results have them, by their paths in the repository. */
export async function generatePerformanceFiles(root: string): Promise<Map<string, string>> {
  const results = await readResults(join(root, "bench", "results", "latest.json"));
  const profiles = await readFile(join(root, "bench", "profiles.md"), "utf8");
  const files = describePerformance({ areas, results, profiles });
  return new Map([...files].map(([path, content]) => [`docs/${path}`, content]));
}

import { join } from "node:path";
import { generateConfigFiles } from "./generate-config-docs.ts";
import { findOutdated, writeOutdated } from "./generated-files.ts";
import { describeKept, pagePath } from "./model/kept-searches.mjs";
import { generatePerformanceFiles } from "./performance-page.ts";

const root = join(import.meta.dirname, "..");
const files = new Map([
  ...(await generateConfigFiles()),
  ...(await generatePerformanceFiles(root)),
  [pagePath, describeKept()] as const,
]);

if (process.argv.includes("--check")) {
  for (const path of await findOutdated(root, files)) {
    console.error(`${path} is not what it is generated from: npm run generate`);
    process.exitCode = 1;
  }
} else {
  for (const path of await writeOutdated(root, files)) console.log(`wrote ${path}`);
}

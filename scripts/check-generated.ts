import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { generateConfigFiles } from "./generate-config-docs.ts";

const root = join(import.meta.dirname, "..");

for (const [path, wanted] of await generateConfigFiles()) {
  const found = await readFile(join(root, path), "utf8").catch(() => "");
  if (found === wanted) continue;
  console.error(`${path} is not what the schema says: npm run generate`);
  process.exitCode = 1;
}

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { describeConfiguration } from "./config-manual.ts";
import { editorSchema, validatorSource } from "./config-validator.ts";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Every generated file of the configuration, by its path in the repository. */
export async function generateConfigFiles(): Promise<Map<string, string>> {
  return new Map([
    ["resources/config.schema.json", editorSchema()],
    ["src/config/generated/validate-config.ts", validatorSource()],
    ["docs/configuration.md", await describeConfiguration()],
  ]);
}

/** Writes what has changed; with `--check` only says so, and fails. */
async function main(check: boolean): Promise<void> {
  for (const [path, content] of await generateConfigFiles()) {
    const file = resolve(root, path);
    if ((await readFile(file, "utf8").catch(() => "")) === content) continue;
    console.log(check ? `${path} is not current: run npm run generate` : `wrote ${path}`);
    if (check) {
      process.exitCode = 1;
      continue;
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.includes("--check"));

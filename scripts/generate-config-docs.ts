import { describeConfiguration } from "./config-manual.ts";
import { editorSchema, validatorSource } from "./config-validator.ts";

/** Every generated file of the configuration, by its path in the repository. */
export async function generateConfigFiles(): Promise<Map<string, string>> {
  return new Map([
    ["resources/config.schema.json", editorSchema()],
    ["src/config/generated/validate-config.ts", validatorSource()],
    ["docs/configuration.md", await describeConfiguration()],
  ]);
}

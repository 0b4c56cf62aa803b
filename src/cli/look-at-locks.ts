import { Option } from "commander";
import type { Config } from "../config/resolved.ts";
import type { CatalogDeps } from "../daemon/inspect/lock-catalog.ts";
import type { CommandContext } from "./command-context.ts";
import { configPath } from "./config-option.ts";

/** `-c FILE`, which may be given several times: locks that several files name are shown once. */
export function configsOption(): Option {
  const collect = (file: string, before: readonly string[] | undefined) => [...(before ?? []), file];
  return new Option(
    "-c, --config <file>",
    "configuration file (else $RSYNCDIRECTOR_CONFIG); may be given several times",
  ).argParser(collect);
}

export async function loadConfigs(files: readonly string[] | undefined, context: CommandContext): Promise<Config[]> {
  const { loadConfig } = await import("../config/load.ts");
  const paths = files ?? [configPath(undefined, context.env)];
  const loaded = await Promise.all(paths.map((path) => loadConfig(path, { env: context.env })));
  return loaded.map(({ config }) => config);
}

/** What a look at locks needs of the system. */
export async function lookDeps({ env }: CommandContext): Promise<CatalogDeps> {
  const [{ runTool }, { startChild }, { systemClock: clock }] = await Promise.all([
    import("../process/run-tool.ts"),
    import("../process/start-child.ts"),
    import("../base/clock.ts"),
  ]);
  return { runTool, startChild, clock, env };
}

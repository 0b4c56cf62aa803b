import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Config } from "../config/resolved.ts";
import { pidFileDirectory } from "./paths.ts";

/**
 * Where the masters of shared ssh connections may listen: beside the pid file, which only one director of an instance
 * holds, or, where that path is too long for a socket, under a short name that it alone has.
 */
export function socketDirectories(config: Config, env: Readonly<Record<string, string | undefined>>): string[] {
  const beside = join(pidFileDirectory(config, env), `rsyncdirector-${config.rsyncId}.ssh`);
  const short = createHash("sha256").update(beside).digest("hex").slice(0, 16);
  const runtime = env["XDG_RUNTIME_DIR"];
  return [beside, ...(runtime === undefined ? [] : [runtime]), "/tmp"].map((directory) =>
    directory === beside ? beside : join(directory, `rsyncdirector-${short}`),
  );
}

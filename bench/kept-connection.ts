import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type LockHost, plainSsh, rsyncShell, type Way } from "./lock-host.ts";

/** A connection that somebody keeps open by hand: no shared connection can save more than it does. */
export interface KeptConnection {
  /** As one word for rsync's `-e`. */
  readonly shell: string;
  close(): Promise<void>;
}

/** Resolves once it is logged in. */
export async function keepConnection(host: LockHost, way: Way, directory: string): Promise<KeptConnection> {
  const socket = join(directory, "kept");
  const ssh = (...options: string[]) => {
    const [program, ...args] = plainSsh(host, way);
    return promisify(execFile)(program, [...options, ...args]);
  };
  await ssh("-M", "-S", socket, "-f", "-N");
  return {
    shell: `${rsyncShell(host, way)} -S ${socket}`,
    close: async () => void (await ssh("-S", socket, "-O", "exit")),
  };
}

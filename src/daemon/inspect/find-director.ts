import { once } from "node:events";
import { realpath } from "node:fs/promises";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { describeError, systemErrorCode } from "../../base/errors.ts";
import { guardOf, mayHoldIt, readPid } from "../pid-file.ts";

/** Whether a process works on a configuration just now: the daemon, or `rsyncdirector run`. */
export type FoundDirector =
  | { readonly state: "running"; readonly pid: number | null }
  | { readonly state: "stopped" }
  | { readonly state: "unknown"; readonly detail: string };

/** Looks for the owner of a pid file without disturbing it. */
export async function findDirector(pidFile: string): Promise<FoundDirector> {
  try {
    const directory = await realpath(dirname(pidFile));
    const path = join(directory, basename(pidFile));
    const pid = await readPid(path);
    if (await answers(guardOf(path))) return { state: "running", pid: pid ?? null };
    // The original, or one of ours in another network namespace, where its guard cannot be seen.
    if (pid !== undefined && (await mayHoldIt(pid))) return { state: "running", pid };
    return { state: "stopped" };
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return { state: "stopped" };
    return { state: "unknown", detail: describeError(error) };
  }
}

async function answers(name: string): Promise<boolean> {
  const socket = connect(name);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (["ECONNREFUSED", "ENOENT"].includes(systemErrorCode(error) ?? "")) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

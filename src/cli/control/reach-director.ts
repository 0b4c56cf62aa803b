import { basename, dirname, extname, join } from "node:path";
import { describeError, OperatorError } from "../../base/errors.ts";
import type { InstanceNames } from "../../config/read-instance.ts";
import { pidFile } from "../../daemon/paths.ts";
import type { InstanceStatus } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import { type ControlClient, createControlClient } from "./control-client.ts";
import type { Asked } from "./control-request.ts";

/** Whether a director can be asked. */
export type Reached =
  | { readonly kind: "running"; readonly client: ControlClient; readonly status: InstanceStatus }
  | { readonly kind: "stopped" }
  /** A process works on the configuration and takes no requests: `rsyncdirector run`, one that is just starting, the original. */
  | { readonly kind: "deaf"; readonly pid: number | null }
  /** Nobody can say. */
  | { readonly kind: "unknown"; readonly detail: string; readonly remedy: string };

/** The configuration as far as it names an instance, and the file that says so. */
export interface Instance extends InstanceNames {
  readonly file: string;
}

/** Asks the director of a configuration for its status, which tells whether it can be asked at all. `signal` ends the question. */
export async function reachDirector(
  instance: Instance,
  env: CommandContext["env"],
  { withinMs, signal }: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<Reached> {
  const places = controlPlaces(instance, env);
  for (const { socket } of places) {
    const client = createControlClient(socket, withinMs === undefined ? {} : { withinMs });
    const asked = await client.status(signal);
    if (asked.kind === "answered") return { kind: "running", client, status: asked.value };
    if (asked.kind !== "gone") return { kind: "unknown", ...describeTrouble(asked, socket) };
  }
  const { findDirector } = await import("../../daemon/inspect/find-director.ts");
  for (const { pidFile: file } of places) {
    const found = await findDirector(file);
    if (found.state === "running") return { kind: "deaf", pid: found.pid };
    if (found.state === "unknown") return { kind: "unknown", detail: found.detail, remedy: `look at ${file}` };
  }
  return { kind: "stopped" };
}

/** The client of a running director. Throws an `OperatorError` that says why there is none, and what to do. */
export async function needDirector(
  instance: Instance,
  env: CommandContext["env"],
): Promise<{ client: ControlClient; status: InstanceStatus }> {
  const reached = await reachDirector(instance, env);
  if (reached.kind === "running") return reached;
  throw new OperatorError(describeUnreached(reached, instance));
}

/** One sentence, and what to do. */
export function describeUnreached(reached: Exclude<Reached, { kind: "running" }>, { rsyncId, file }: Instance): string {
  switch (reached.kind) {
    case "stopped":
      return `no director of ${rsyncId} is running here: systemctl start rsyncdirector@${nameOf(file)}, or rsyncdirector start --config ${file}`;
    case "deaf": {
      const who = reached.pid === null ? "a process" : `process ${reached.pid}`;
      return `${who} works on ${rsyncId} and takes no commands: it is a run in the foreground (rsyncdirector run), or a director that is just starting`;
    }
    case "unknown":
      return `UNKNOWN whether a director of ${rsyncId} is running: ${reached.detail}; ${reached.remedy}`;
  }
}

/** The value of an answer. Throws an `OperatorError` for everything else. */
export function answerOf<T>(asked: Asked<T>, { rsyncId }: Pick<Instance, "rsyncId">): T {
  switch (asked.kind) {
    case "answered":
      return asked.value;
    case "refused":
      throw new OperatorError(asked.message);
    case "gone":
      throw new OperatorError(`the director of ${rsyncId} has just stopped, and nobody can say what it still did`);
    case "silent":
    case "unknown": {
      const { detail, remedy } = describeTrouble(asked, undefined);
      throw new OperatorError(
        `the director of ${rsyncId} was asked, and ${detail}: UNKNOWN whether it did so; ${remedy}`,
      );
    }
  }
}

function describeTrouble(
  asked: Exclude<Asked<unknown>, { kind: "answered" | "gone" }>,
  socket: string | undefined,
): { detail: string; remedy: string } {
  const at = socket === undefined ? "" : ` (${socket})`;
  switch (asked.kind) {
    case "silent":
      return {
        detail: `it did not answer within ${asked.withinMs / 1000} seconds${at}`,
        remedy: "look at its log and at the load of this host",
      };
    case "unknown":
      return {
        detail: `${asked.detail}${at}`,
        remedy: "run this as the user that the director runs as, or as root",
      };
    case "refused":
      return { detail: `it refused: ${asked.message}${at}`, remedy: "are program and director of the same version?" };
  }
}

interface ControlPlace {
  readonly socket: string;
  readonly pidFile: string;
}

/**
 * Where its socket may be: where this user's director would have it, and, where the configuration names no
 * directory, where that of a service would. Else a director of root would be taken for stopped by everybody else.
 */
function controlPlaces(instance: Instance, env: CommandContext["env"]): ControlPlace[] {
  const name = `rsyncdirector-${instance.rsyncId}`;
  const at = (directory: string) => ({
    socket: join(directory, `${name}.sock`),
    pidFile: join(directory, `${name}.pid`),
  });
  const shared = "/run/rsyncdirector";
  const services =
    instance.pidFileDir === undefined
      ? [shared, join(shared, nameOf(instance.file)), join(shared, instance.rsyncId)]
      : [];
  const directories = new Set([...ownDirectory(instance, env), ...services]);
  return [...directories].map(at);
}

/** None where nothing is configured and this user has no place for it: it may still be that of a service. */
function ownDirectory(instance: Instance, env: CommandContext["env"]): string[] {
  try {
    return [dirname(pidFile(instance, env))];
  } catch (error) {
    if (error instanceof OperatorError && instance.pidFileDir === undefined) return [];
    throw new Error(describeError(error), { cause: error });
  }
}

/** As systemd calls the instance of a configuration file. */
function nameOf(file: string): string {
  return basename(file, extname(file));
}

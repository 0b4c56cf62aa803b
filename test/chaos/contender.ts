import { mkdirSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { type DirectorProcess, startDirectorProcess } from "../support/director-process.ts";
import type { Lab, LabHost } from "./lab.ts";
import { writeWitness } from "./witness.ts";

/** A director with one job, both called `name`, that runs its job again and again. */
export interface Contender {
  readonly name: string;
  readonly host: string;
  /** The process id of its director; undefined while it is dead. */
  pid(): number | undefined;
  signal(name: NodeJS.Signals): void;
  /** Starts its director unless there is one; rejects when it ends before it has started. */
  start(): Promise<DirectorProcess>;
  /** Dies at once. */
  crash(): Promise<void>;
  /** Ends in good order; its exit status. */
  stop(): Promise<number | NodeJS.Signals | undefined>;
  /** Its next runs copy little. */
  shorten(): Promise<void>;
  /** From now on no run is asked for. */
  rest(): void;
  /** Runs that ended well so far. */
  successes(): number;
}

export interface ContenderPlan {
  readonly name: string;
  readonly host: string;
  /** The job of its configuration; `id` is filled in. */
  readonly job: Record<string, unknown>;
  readonly sourceBytes: number;
  /** Time between the end of a run and the next, at most. */
  readonly thinkMs: number;
}

/** As short as the rules between the durations of a lease allow. */
export const shortLease = { heartbeat: 6, operation_timeout: 6, ttl: 62, renew_deadline: 24, claim_ttl: 60 };

export function createContender(lab: Lab, plan: ContenderPlan, random: () => number, port: number): Contender {
  const { name } = plan;
  const directory = join(lab.root, "directors", name);
  const path = (...parts: string[]) => join(directory, ...parts);
  for (const part of ["run", "state", "source"]) mkdirSync(path(part), { recursive: true });
  writeFileSync(path("source", "file"), Buffer.alloc(plan.sourceBytes, name));
  const witness = writeWitness(lab.root, name);
  const configFile = path("rsyncdirector.yaml");
  writeFileSync(configFile, stringify(configOf(lab, plan, { path, port })), { mode: 0o600 });
  const env = {
    ...process.env,
    PATH: `${witness}:${process.env["PATH"] ?? ""}`,
    RSYNCDIRECTOR_LOCK_RECORD: join(lab.root, "records", `${name}.jsonl`),
  };
  let director: DirectorProcess | undefined;
  let resting = false;
  let successes = 0;

  const askAgain = (process: DirectorProcess) => {
    setTimeout(() => {
      if (!resting && director === process) process.signal("SIGHUP");
    }, random() * plan.thinkMs).unref();
  };
  const onEnd = (process: DirectorProcess, how: string) => {
    if (director !== process) return;
    director = undefined;
    lab.note({ kind: "ended", client: name, pid: process.pid, how });
  };
  return {
    name,
    host: plan.host,
    pid: () => director?.pid,
    signal: (signal) => director?.signal(signal),
    start: async () => {
      if (director !== undefined) return director;
      const host: LabHost = lab.host(plan.host);
      const { inside } = host;
      const process = startDirectorProcess(["start", "--config", configFile], { env, program: lab.program, inside });
      director = process;
      lab.note({ kind: "started", client: name, pid: process.pid });
      void process.exited.then((code) => onEnd(process, String(code)));
      process.onLine((line) => {
        if (line.msg === "director started") askAgain(process);
        if (line.msg !== "run finished") return;
        if (line["outcome"] === "ok") successes += 1;
        askAgain(process);
      });
      await process.waitForLine((line) => line.msg === "director started");
      return process;
    },
    crash: async () => {
      const process = director;
      if (process === undefined) return;
      // Noted before it happens: from then on it does nothing any more.
      onEnd(process, "SIGKILL");
      process.signal("SIGKILL");
      await process.exited;
    },
    stop: async () => {
      const process = director;
      process?.signal("SIGTERM");
      return process?.exited;
    },
    shorten: () => writeFile(path("source", "file"), "little"),
    rest: () => (resting = true),
    successes: () => successes,
  };
}

function configOf(
  lab: Lab,
  { name, job }: ContenderPlan,
  { path, port }: { path: (...parts: string[]) => string; port: number },
) {
  return {
    rsync_id: name,
    cron_schedule: "0 0 1 1 *",
    pid_file_dir: path("run"),
    state_dir: path("state"),
    metrics: { addr: "127.0.0.1", port },
    logging: [
      { type: "stdout", level: "info", format: "json" },
      { type: "file", path: path("log.jsonl"), level: "debug", format: "json" },
    ],
    ssh: { known_hosts_file: lab.knownHosts, connect_timeout: 5 },
    lock: shortLease,
    jobs: [{ id: name, ...job }],
  };
}

import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { builtProgram, type DirectorProcess, startDirectorProcess } from "./director-process.ts";
import { freePort, type TestSshd } from "./sshd.ts";

/** One configured instance of the built program in a directory of its own. */
export interface Instance {
  readonly directory: string;
  readonly configFile: string;
  readonly metricsPort: number;
  readonly pidFile: string;
  readonly path: (...parts: string[]) => string;
  /** Starts the daemon and resolves when it says that it has started. */
  start(options?: {
    env?: NodeJS.ProcessEnv;
    args?: readonly string[];
    inside?: readonly string[];
  }): Promise<DirectorProcess>;
  /** Runs one command of the program to its end. */
  cli(...args: string[]): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }>;
  scrape(): Promise<string>;
}

/** What a test writes of a configuration; ids, directories and ports are filled in. */
export type ConfigDraft = Record<string, unknown>;

/** Kept short, so that a test that waits for a lock does not wait for the clock. */
export async function makeInstance(
  draft: ConfigDraft | ((instance: { path: Instance["path"] }) => ConfigDraft),
): Promise<Instance> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), "rsyncdirector-e2e-")));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = (...parts: string[]) => join(directory, ...parts);
  const metricsPort = await freePort();
  for (const name of ["run", "state", "locks", "source", "dest"]) await mkdir(path(name), { mode: 0o755 });
  const configFile = path("rsyncdirector.yaml");
  const config = {
    rsync_id: "test",
    cron_schedule: "0 0 1 1 *",
    pid_file_dir: path("run"),
    state_dir: path("state"),
    metrics: { addr: "127.0.0.1", port: metricsPort },
    logging: [{ type: "stdout", level: "debug", format: "json" }],
    ...(typeof draft === "function" ? draft({ path }) : draft),
  };
  await writeFile(configFile, stringify(config), { mode: 0o600 });
  return {
    directory,
    configFile,
    metricsPort,
    pidFile: path("run", "rsyncdirector-test.pid"),
    path,
    start: async ({ env, args = ["start", "--config", configFile], inside } = {}) => {
      const director = startDirectorProcess(args, { env, inside });
      onTestFinished(async () => {
        director.signal("SIGKILL");
        await director.exited;
      });
      await director.waitForLine((line) => line.msg === "director started");
      return director;
    },
    cli: (...args) => runCli([...args, "--config", configFile]),
    scrape: async () => (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
  };
}

export async function runCli(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv } = {},
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [builtProgram, ...args], {
    reject: false,
    env: options.env,
    stdin: "ignore",
  });
  return { exitCode, stdout, stderr };
}

/** The keys of a configuration that lead to a test sshd. */
export function reach(sshd: TestSshd): ConfigDraft {
  return {
    host: sshd.host,
    user: sshd.user,
    port: sshd.port,
    private_ssh_key: sshd.identityFile,
  };
}

/** Top-level `ssh` block that trusts exactly that sshd, and gives it the time that a busy machine needs. */
export function trust(sshd: TestSshd): ConfigDraft {
  return { known_hosts_file: sshd.knownHostsFile, connect_timeout: 30 };
}

/** Processes whose command line or environment names the text (a directory of the test), by pid. */
export async function processesNaming(text: string): Promise<string[]> {
  const { stdout } = await execa("ps", ["-eo", "pid=,stat=,args="]);
  return stdout
    .split("\n")
    .filter(
      (line) => line.includes(text) && !line.includes(" Z") && !line.includes("ps -eo") && !line.includes("main.js"),
    );
}

/** The same without those that only read: the sending side of an rsync. */
export async function writersNaming(text: string): Promise<string[]> {
  return (await processesNaming(text)).filter((line) => !line.includes(" --sender"));
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { execa } from "execa";
import { findProgram } from "../../src/process/find-program.ts";

/** What a program of Docker's printed, both streams as they came. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly output: string;
}

/** A Docker engine of the test's own. */
export interface DockerEngine {
  /** Runs `docker …`; rejects when it fails. */
  docker(...args: readonly string[]): Promise<string>;
  /** The same; resolves to whatever became of it. */
  attempt(...args: readonly string[]): Promise<Ended>;
  /** Runs `docker-compose …` in a directory, with these variables. */
  compose(directory: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  /** Ends it and removes its containers, images, networks and volumes. */
  stop(): Promise<void>;
}

const system = "/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Why no Docker engine can be started here, or undefined. */
export function whyNoDocker(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can start a Docker engine";
  const wanted = ["dockerd", "docker", "docker-compose", "unshare", "mount", "ip", "setpriv"];
  const missing = wanted.filter((name) => findProgram(name, system) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

// In namespaces of its own its networks, mounts, rules of iptables and processes go with it, and it meets no other engine.
const begin = `
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
ip link set lo up
exec dockerd --host "unix://$1/socket" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --cgroup-parent "$2"
`;

/** There is no way out of its networks: whatever is built finds what it needs in its base image. */
export async function startDocker(): Promise<DockerEngine> {
  const scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-docker-"));
  const cgroup = `rsyncdirector-test-${process.pid}`;
  const unshare = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child"];
  const child = spawn(
    "setpriv",
    // Whatever becomes of the test, it must not live on.
    ["--pdeathsig", "KILL", ...unshare, "sh", "-euc", begin, "sh", scratch, `/${cgroup}`],
    { stdio: ["ignore", "pipe", "pipe"], env: { PATH: system } },
  );
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += String(chunk)));
  const env = { PATH: system, HOME: scratch, DOCKER_HOST: `unix://${scratch}/socket`, DOCKER_BUILDKIT: "0" };

  const run = async (file: string, args: readonly string[], options: object = {}): Promise<Ended> => {
    const common = { reject: false, all: true, stdin: "ignore", extendEnv: false, env } as const;
    const { exitCode, all } = await execa(file, args, { ...common, ...options });
    return { exitCode, output: all };
  };
  const attempt: DockerEngine["attempt"] = (...args) => run("docker", args);
  const engine: DockerEngine = {
    attempt,
    docker: async (...args) => {
      const { exitCode, output } = await attempt(...args);
      if (exitCode !== 0) throw new Error(`docker ${args.join(" ")} ended with ${exitCode}: ${output}`);
      return output;
    },
    compose: (cwd, args, more = {}) => run("docker-compose", args, { cwd, env: { ...env, ...more } }),
    stop: async () => {
      if (child.exitCode === null) {
        const { output } = await attempt("ps", "--all", "--quiet");
        if (output !== "") await attempt("rm", "--force", ...output.split("\n"));
        await endEngine(child);
      }
      await rm(scratch, { recursive: true, force: true });
      await execa("find", [`/sys/fs/cgroup`, "-depth", "-path", `*/${cgroup}*`, "-type", "d", "-delete"], {
        reject: false,
      });
    },
  };
  for (let look = 0; look < 1800 && child.exitCode === null; look += 1) {
    if ((await attempt("version")).exitCode === 0) return engine;
    await wait(100);
  }
  await engine.stop();
  throw new Error(`dockerd did not start: ${log.slice(-3000)}`);
}

/** unshare hands no signals on: the engine is its child. */
async function endEngine(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").catch(() => "");
  for (const pid of children.split(" ").filter(Boolean)) process.kill(Number(pid), "SIGTERM");
  const killed = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await ended;
  clearTimeout(killed);
}

import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { findProgram } from "../../src/process/find-program.ts";
import { buildPackage, packagedVersion } from "./debian-package.ts";
import { debianTarball, whyNoDebian } from "./debian-tree.ts";
import { type DockerEngine, type Ended, startDocker, whyNoDocker } from "./docker-engine.ts";
import { projectRoot } from "./project-files.ts";

/** The image, built by an engine that has never seen another, and what is run from it. */
export interface ContainerLab {
  /** A copy of what the compose file needs of the project, to be changed at will. */
  readonly project: string;
  /** Bytes of the image, and of the one that it is made from. */
  sizes(): Promise<{ image: number; base: number }>;
  /** Runs a command in a container of its own; resolves to its output. */
  once(...command: readonly string[]): Promise<string>;
  /** Starts a container that ends with the test. */
  run(options: readonly string[], command?: readonly string[]): Promise<Container>;
  /** The same, with a configuration; unless that says otherwise, its job copies /data/source to /data/copy. */
  startDirector(of?: DirectorOptions): Promise<Director>;
  compose(...args: readonly string[]): Promise<Ended>;
  /** Plays docker-compose.test.yml as the project's copy has it, and takes everything away again. */
  playScenario(): Promise<Ended>;
  close(): Promise<void>;
}

export interface DirectorOptions {
  readonly options?: readonly string[];
  readonly config?: object;
  readonly command?: readonly string[];
}

export interface Container {
  readonly id: string;
  exec(...command: readonly string[]): Promise<string>;
  execAs(user: string, ...command: readonly string[]): Promise<string>;
  logs(): Promise<string>;
  signal(name: string): Promise<void>;
  /** `starting`, `healthy` or `unhealthy`. */
  health(): Promise<string>;
  /** Stops it as `docker stop` does; resolves to its exit status. */
  stop(): Promise<number>;
  /** Waits for its end; resolves to its exit status. */
  untilEnded(): Promise<number>;
}

export interface Director extends Container {
  untilReady(): Promise<void>;
  /** What a file below /data contains; undefined: it is not there. */
  read(path: string): Promise<string | undefined>;
  write(path: string, text: string, of?: { owner?: number; mode?: number }): Promise<void>;
  list(path: string): Promise<string[]>;
}

const account = 10001;
const image = "rsyncdirector:test";
const base = "debian:bookworm-slim";
/** What `apt-get` in the Dockerfile has to find there, for the engine has no network: dependencies, tini and sshd. */
const packages = ["openssh-client", "openssh-server", "rsync", "tini"];
const composeFile = "docker-compose.test.yml";

/** Why there is no such lab here, or undefined. */
export function whyNoContainers(): string | undefined {
  if (findProgram("prometheus", "/usr/local/bin:/usr/bin") === undefined) return "not installed: prometheus";
  return whyNoDebian() ?? whyNoDocker();
}

export async function openContainerLab(): Promise<ContainerLab> {
  const scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-containers-"));
  const project = join(scratch, "project");
  const [engine, staged] = await Promise.allSettled([startDocker(), stageProject(project), debianTarball(packages)]);
  try {
    if (engine.status === "rejected") throw engine.reason;
    if (staged.status === "rejected") throw staged.reason;
    await buildImages(engine.value, { scratch, project });
  } catch (error) {
    if (engine.status === "fulfilled") await engine.value.stop();
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
  return lab(engine.value, { scratch, project });
}

/** What a clone has after `npm run package:deb`, as far as images and scenario are made of it. */
async function stageProject(project: string): Promise<void> {
  await mkdir(project);
  const paths = [
    ".dockerignore",
    composeFile,
    "package.json",
    "deploy",
    "test/compose",
    "test/support/compare-trees.ts",
  ];
  for (const path of paths) await cp(join(projectRoot, path), join(project, path), { recursive: true });
  const built = process.env["TEST_DEB"];
  if (built === undefined)
    await rename(await buildPackage(project), join(project, `rsyncdirector_${packagedVersion}.deb`));
  else await cp(built, join(project, basename(built)));
}

async function buildImages(engine: DockerEngine, { scratch, project }: { scratch: string; project: string }) {
  const build = async (tag: string, dockerfile: string, program?: string) => {
    const context = await mkdtemp(join(scratch, "build-"));
    await writeFile(join(context, "Dockerfile"), dockerfile);
    if (program !== undefined) await cp(program, join(context, basename(program)), { dereference: true });
    await engine.docker("build", "--quiet", "--tag", tag, context);
  };
  await engine.docker("import", await debianTarball(packages), "debian:bare");
  // apt-get would try again and again to reach the mirror that is named there.
  await build(base, "FROM debian:bare\nRUN rm -rf /etc/apt/sources.list*\n");
  const { exitCode, output } = await engine.compose(project, ["-f", composeFile, "build"]);
  if (exitCode !== 0) throw new Error(`docker-compose build ended with ${exitCode}: ${output.slice(-5000)}`);
  const prometheus = 'COPY prometheus /bin/prometheus\nUSER nobody\nENTRYPOINT ["/bin/prometheus"]';
  await build("prometheus:test", `FROM ${base}\n${prometheus}\n`, "/usr/bin/prometheus");
}

function lab(engine: DockerEngine, { scratch, project }: { scratch: string; project: string }): ContainerLab {
  const compose: ContainerLab["compose"] = (...args) =>
    engine.compose(project, args, { PROMETHEUS_IMAGE: "prometheus:test", COMPOSE_PROJECT_NAME: "scenario" });
  const run: ContainerLab["run"] = async (options, command = []) => {
    const id = await engine.docker("run", "--detach", ...options, image, ...command);
    onTestFinished(async () => void (await engine.attempt("rm", "--force", "--volumes", id)));
    return container(engine, id);
  };
  return {
    ...{ project, run, compose },
    sizes: async () => {
      const sizeOf = async (name: string) => Number(await engine.docker("inspect", "--format", "{{.Size}}", name));
      return { image: await sizeOf(image), base: await sizeOf(base) };
    },
    once: (...command) => engine.docker("run", "--rm", image, ...command),
    startDirector: async ({ options = [], config = {}, command = [] } = {}) => {
      const directory = await mkdtemp(join(scratch, "director-"));
      const mounts = await layOutDirector(directory, config);
      return director(await run([...mounts, ...options], command), join(directory, "data"));
    },
    playScenario: async () => {
      const ended = await compose("-f", composeFile, "--no-ansi", "up", "--no-color", "--exit-code-from", "test");
      await compose("-f", composeFile, "down", "--volumes", "--timeout", "120");
      return ended;
    },
    close: async () => {
      await engine.stop();
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

function container(engine: DockerEngine, id: string): Container {
  const inspect = (format: string) => engine.docker("inspect", "--format", format, id);
  return {
    id,
    exec: (...command) => engine.docker("exec", id, ...command),
    execAs: (user, ...command) => engine.docker("exec", "--user", user, id, ...command),
    logs: () => engine.docker("logs", id),
    signal: async (name) => void (await engine.docker("kill", "--signal", name, id)),
    health: () => inspect("{{.State.Health.Status}}"),
    stop: async () => {
      await engine.docker("stop", "--time", "120", id);
      return Number(await inspect("{{.State.ExitCode}}"));
    },
    untilEnded: async () => Number(await engine.docker("wait", id)),
  };
}

async function layOutDirector(directory: string, config: object): Promise<string[]> {
  const copy = {
    ...{ id: "copy", type: "local", lock_files: [{ type: "local", path: "/data/locks/copy" }] },
    actions: [
      { action: "sync", id: "copy", source: "/data/source/", dest: "/data/copy/", opts: ["-rt", "--bwlimit=1m"] },
    ],
  };
  const file = join(directory, "rsyncdirector.yaml");
  await writeFile(file, stringify({ rsync_id: "demo", jobs: [copy], ...config }), { mode: 0o644 });
  const data = join(directory, "data");
  for (const path of ["source", "copy", "locks"].map((name) => join(data, name))) {
    await mkdir(path, { recursive: true });
    await chown(path, account, account);
  }
  await writeFile(join(data, "source/file"), "one\n", { mode: 0o644 });
  await chown(data, account, account);
  return ["--volume", `${file}:/etc/rsyncdirector/rsyncdirector.yaml:ro`, "--volume", `${data}:/data`];
}

function director(running: Container, data: string): Director {
  return {
    ...running,
    untilReady: () =>
      expect.poll(() => running.logs(), { timeout: 120_000, interval: 200 }).toContain("director started"),
    read: (path) => readFile(join(data, path), "utf8").catch(() => undefined),
    write: async (path, text, { owner = account, mode = 0o644 } = {}) => {
      await mkdir(dirname(join(data, path)), { recursive: true });
      await writeFile(join(data, path), text);
      await chown(join(data, path), owner, owner);
      await chmod(join(data, path), mode);
    },
    list: (path) => readdir(join(data, path)),
  };
}

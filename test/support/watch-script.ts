import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type DirectorProcess, type LogLine, startDirectorProcess } from "./director-process.ts";
import { runCli } from "./instance.ts";
import { freePort, type TestSshd } from "./sshd.ts";
import { makeTempDir } from "./temp-dir.ts";
import type { WatchScriptPlaces } from "./watch-script-configs.ts";

/** The built program in the place of a script that watches one directory, with the script's own file. */
export interface WatchScript {
  /** A file of the watched directory. */
  readonly source: (...parts: string[]) => string;
  /** A file at the target, in a directory that is not there before the first sync. */
  readonly dest: (...parts: string[]) => string;
  /** A file of the directory in which the script kept its log, copies and differences. */
  readonly own: (...parts: string[]) => string;
  /** Writes a file of the watched directory, with the directories above it. */
  readonly write: (name: string, content: string | Buffer) => Promise<void>;
  /** The content of a file at the target; undefined: it is not there. */
  readonly arrived: (name: string) => Promise<string | undefined>;
  /** Starts the program; resolves when its first run has ended, with what that did. */
  start(): Promise<{ director: DirectorProcess; work: LoggedWork }>;
  /** Resolves when this is so after a change, and no run goes on; with what was done until then. */
  after(change: () => Promise<unknown>, isSo: () => Promise<boolean>): Promise<LoggedWork>;
  stop(director: DirectorProcess): Promise<void>;
  cli(...args: string[]): ReturnType<typeof runCli>;
  /** The lines of the script's log file. */
  log(): Promise<LogLine[]>;
}

/** What runs did, as the log file has it. */
export interface LoggedWork {
  readonly outcomes: readonly string[];
  /** Files that rsync sent. */
  readonly sent: number;
  /** Files that rsync deleted. */
  readonly deleted: number;
}

/** `keys` go before the script's own as lines of JSON; the debounce is made short by the script's own key. */
export async function openWatchScript(
  config: (places: WatchScriptPlaces) => string,
  options: { sshd: TestSshd; keys?: readonly string[]; edit?: (text: string) => string },
): Promise<WatchScript> {
  const { sshd, keys = [], edit = (text) => text } = options;
  const root = await makeTempDir();
  const own = (...parts: string[]) => join(root, ...parts);
  const source = (...parts: string[]) => own("snmp/1/jvm", ...parts);
  const dest = (...parts: string[]) => own("destination", "snmp", ...parts);
  for (const name of ["snmp/1/jvm", "destination", "run", "state"]) await mkdir(own(name), { recursive: true });
  const account = { host: sshd.host, user: sshd.user, key: sshd.identityFile };
  const text = config({ ...account, source: `${source()}/`, dest: `${dest()}/`, directory: root });
  // Port and host key were the business of the user's ssh configuration; the rest keeps instances apart.
  const beside = [
    `"pid_file_dir": ${JSON.stringify(own("run"))}`,
    `"state_dir": ${JSON.stringify(own("state"))}`,
    `"metrics": { "addr": "127.0.0.1", "port": ${await freePort()} }`,
    `"ssh": { "known_hosts_file": ${JSON.stringify(sshd.knownHostsFile)}, "connect_timeout": 30 }`,
    `"defaults": { "port": ${sshd.port}, "retry": { "delay": 1, "max_delay": 2 } }`,
    ...keys,
  ];
  const configFile = own("config.json");
  const quick = edit(text).replace('"debounce_time": 5', '"debounce_time": 0.2');
  await writeFile(configFile, quick.replace("{", `{\n    ${beside.join(",\n    ")},`), { mode: 0o600 });

  const log = async () => parseLog(await readFile(own("sync.log"), "utf8").catch(() => ""));
  const settled = async (since: number, isSo: () => Promise<boolean>): Promise<LoggedWork> => {
    const isDone = async () => {
      const runs = (await log()).slice(since).map(({ msg }) => msg);
      const [begun, ended] = ["run started", "run finished"].map((wanted) => runs.filter((msg) => msg === wanted));
      return begun?.length === ended?.length && runs.includes("run finished") && (await isSo());
    };
    await expect.poll(isDone, { timeout: 30_000, interval: 25 }).toBe(true);
    return workIn((await log()).slice(since));
  };
  return {
    ...{ own, source, dest, log },
    write: async (name, content) => {
      await mkdir(dirname(source(name)), { recursive: true });
      await writeFile(source(name), content);
    },
    arrived: (name) => readFile(dest(name), "utf8").catch(() => undefined),
    start: async () => {
      const { length } = await log();
      const director = startDirectorProcess(["start", "--config", configFile]);
      onTestFinished(async () => {
        director.signal("SIGKILL");
        await director.exited;
      });
      const failed = director.exited.then((code) => {
        throw new Error(`the director ended with ${code}: ${director.errors()}`);
      });
      // It ends after the race too, and well.
      failed.catch(() => undefined);
      return { director, work: await Promise.race([settled(length, () => Promise.resolve(true)), failed]) };
    },
    after: async (change, isSo) => {
      const { length } = await log();
      await change();
      return settled(length, isSo);
    },
    stop: async (director) => {
      director.signal("SIGTERM");
      expect(await director.exited).toBe(0);
    },
    cli: (...args) => runCli([...args, "--config", configFile]),
  };
}

function workIn(lines: readonly LogLine[]): LoggedWork {
  const sum = (field: string) =>
    lines.reduce((total, line) => total + (line.msg === "action finished" ? Number(line[field] ?? 0) : 0), 0);
  const outcomes = lines.filter(({ msg }) => msg === "run finished").map(({ outcome }) => String(outcome));
  return { outcomes, sent: sum("files"), deleted: sum("deleted") };
}

/** `[time] LEVEL: message {fields}`; a line that is not whole yet is left out. */
function parseLog(text: string): LogLine[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [, level, msg = line, fields = "{}"] = /^\[[^\]]+\] ([A-Z]+)[^:]*: (.*?)(?: (\{.*\}))?$/.exec(line) ?? [];
      return { ...(JSON.parse(fields) as Record<string, unknown>), level, msg };
    });
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { stringify } from "yaml";
import { freePort } from "./sshd.ts";

export interface TestPrometheus {
  /** The `data` of an answer of its API; an answer that is no success is an error with its text. */
  ask(path: string, parameters?: Readonly<Record<string, string>>): Promise<unknown>;
}

/** A real Prometheus on loopback that scrapes one director every three seconds, of which each look may take all; it ends with the test. */
export async function startPrometheus(options: {
  readonly directory: string;
  readonly directorPort: number;
  readonly ruleFile: string;
  readonly alertmanagerPort: number;
}): Promise<TestPrometheus> {
  const { directory, directorPort, ruleFile, alertmanagerPort } = options;
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const file = join(directory, "prometheus.yml");
  const targets = (name: number) => [{ targets: [`127.0.0.1:${name}`] }];
  await writeFile(
    file,
    stringify({
      global: { scrape_interval: "3s", evaluation_interval: "1s" },
      rule_files: [ruleFile],
      scrape_configs: [{ job_name: "rsyncdirector", static_configs: targets(directorPort) }],
      alerting: { alertmanagers: [{ static_configs: targets(alertmanagerPort) }] },
    }),
  );
  const server = startServer("prometheus", [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(directory, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await server.untilReady(`http://127.0.0.1:${port}/-/ready`);
  return {
    ask: async (path, parameters = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters)}`);
      const text = await response.text();
      const { status, data } = JSON.parse(text) as { status: string; data: unknown };
      if (status !== "success") throw new Error(`${path} ${JSON.stringify(parameters)}: ${text}`);
      return data;
    },
  };
}

/** A real Alertmanager that sends what it hears at once to a webhook; it ends with the test. */
export async function startAlertmanager(options: { directory: string; webhook: string }): Promise<{ port: number }> {
  const { directory, webhook } = options;
  const port = await freePort();
  await mkdir(directory, { recursive: true });
  const file = join(directory, "alertmanager.yml");
  const route = { receiver: "sink", group_by: ["..."], group_wait: "0s", group_interval: "1s", repeat_interval: "1h" };
  await writeFile(file, stringify({ route, receivers: [{ name: "sink", webhook_configs: [{ url: webhook }] }] }));
  const server = startServer("prometheus-alertmanager", [
    `--config.file=${file}`,
    `--storage.path=${join(directory, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // No cluster: it would listen on another port.
    "--cluster.listen-address=",
  ]);
  await server.untilReady(`http://127.0.0.1:${port}/-/ready`);
  return { port };
}

function startServer(program: string, args: readonly string[]): { untilReady(url: string): Promise<void> } {
  // Whatever becomes of the test, it must not live on (PR_SET_PDEATHSIG).
  const child: ChildProcess = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return {
    untilReady: async (url) => {
      for (let look = 0; look < 600; look += 1) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${program} ended:\n${log}`);
        const response = await fetch(url).catch(() => undefined);
        if (response?.ok === true) return;
        await wait(100);
      }
      throw new Error(`${program} is not ready after a minute:\n${log}`);
    },
  };
}

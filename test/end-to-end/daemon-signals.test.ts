import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startDirectorProcess } from "../support/director-process.ts";
import { makeInstance, processesNaming } from "../support/instance.ts";
import { freePort } from "../support/sshd.ts";

/** Those that a director ignores; Node would open a debugger on the first and end at the others. */
const strays = ["SIGUSR1", "SIGUSR2", "SIGVTALRM"] as const;
const ignored = (name: string) => (line: { msg: string; signal?: unknown }) =>
  line.msg.startsWith("signal ignored") && line.signal === name;

const is = (msg: string) => (line: { msg: string }) => line.msg === msg;

/** A job of one command. */
function commandJob(id: string, script: string) {
  const action = { action: "command", id: "do", command: "/bin/sh", args: ["-c", script] };
  return { id, type: "local", actions: [action] };
}

/** Starts the program and does not wait for anything. */
function launch(args: readonly string[], env?: NodeJS.ProcessEnv) {
  const director = startDirectorProcess(args, { env });
  onTestFinished(async () => {
    director.signal("SIGKILL");
    await director.exited;
  });
  return director;
}

describe("signals", () => {
  it("kill the deaf child of a run in the foreground when they come a second time", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [commandJob("deaf", `trap 'echo told' TERM; echo ready; while :; do sleep 1; done; : ${path()}`)],
    }));
    const run = launch(["run", "--config", instance.configFile]);
    await run.waitForLine((line) => line.msg.endsWith("| ready"));
    run.signal("SIGINT");
    await run.waitForLine((line) => line.msg.endsWith("| told"));
    const before = performance.now();
    run.signal("SIGINT");
    expect(await run.exited).toBe(1);
    expect(await processesNaming(instance.directory)).toEqual([]);
    // Without the second signal it has 25 seconds, and is killed in the end all the same.
    expect(performance.now() - before).toBeLessThan(20_000);
  });

  it("run the jobs once the director is ready when SIGHUP came before", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void holder.close());
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const instance = await makeInstance(({ path }) => ({
      metrics: {
        ...{ addr: "127.0.0.1", port },
        ...{ startup_timeout_seconds: 40, startup_retry_wait_seconds: 1, startup_retry_limit: 40 },
      },
      jobs: [commandJob("count", `echo x >> ${path("dest/count")}`)],
    }));
    const director = launch(["start", "--config", instance.configFile]);
    await director.waitForLine(is("metrics address is not free yet"));
    director.signal("SIGHUP");
    // The retry after this one finds the port free, long after the signal has arrived.
    await director.waitForLine(is("metrics address is not free yet"), { since: director.lines.length });
    expect(director.lines.some(is("run queued"))).toBe(false);
    holder.close();
    await director.waitForLine(is("run finished"));
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(await readFile(instance.path("dest/count"), "utf8")).toBe("x\n");
  });

  it("mean nothing and do no harm where a stray one would open a debugger or end the process", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [commandJob("count", `echo x >> ${path("dest/count")}`)],
    }));
    // Where Node would open it; its usual port may be somebody else's here.
    const port = await freePort();
    const env = { ...process.env, NODE_OPTIONS: `--inspect-port=127.0.0.1:${port}` };
    const director = await instance.start({ env });
    for (const name of strays) {
      director.signal(name);
      await director.waitForLine(ignored(name));
    }
    // Node itself ignores it.
    director.signal("SIGPIPE");
    director.signal("SIGHUP");
    await director.waitForLine(is("run finished"));
    await expect(fetch(`http://127.0.0.1:${port}/json/version`)).rejects.toThrow("fetch failed");
    expect(await instance.scrape()).toContain('runs_completed_total{rsync_id="test"} 1');
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(director.errors()).not.toContain("Debugger");
  });

  it("are ignored by a run in the foreground as well, and reach its children as ever", async () => {
    // A shell cannot trap what it was started to ignore.
    const script = (file: string) => `trap 'echo told' USR2; echo ready $$; while [ ! -e ${file} ]; do sleep 0.1; done`;
    const instance = await makeInstance(({ path }) => ({ jobs: [commandJob("waits", script(path("go")))] }));
    const run = launch(["run", "--config", instance.configFile]);
    const { msg } = await run.waitForLine((line) => /\| ready \d+$/.test(line.msg));
    for (const name of strays) {
      run.signal(name);
      await vi.waitFor(() => expect(run.errors()).toContain(`${name} ignored`), { timeout: 30_000, interval: 50 });
    }
    process.kill(Number(msg.split(" ").at(-1)), "SIGUSR2");
    await run.waitForLine((line) => line.msg.endsWith("| told"));
    await writeFile(instance.path("go"), "");
    expect(await run.exited).toBe(0);
    expect(run.errors()).not.toContain("Debugger");
  });
});

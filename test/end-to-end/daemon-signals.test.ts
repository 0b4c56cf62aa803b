import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { startDirectorProcess } from "../support/director-process.ts";
import { makeInstance, processesNaming } from "../support/instance.ts";
import { freePort } from "../support/sshd.ts";

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
    expect(performance.now() - before).toBeLessThan(10_000);
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

  it("open no debugger: SIGUSR1 does nothing", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [commandJob("count", `echo x >> ${path("dest/count")}`)],
    }));
    // Where Node would open it; its usual port may be somebody else's here.
    const port = await freePort();
    const env = { ...process.env, NODE_OPTIONS: `--inspect-port=127.0.0.1:${port}` };
    const director = await instance.start({ env });
    director.signal("SIGUSR1");
    director.signal("SIGHUP");
    await director.waitForLine(is("run finished"));
    await expect(fetch(`http://127.0.0.1:${port}/json/version`)).rejects.toThrow("fetch failed");
    expect(await instance.scrape()).toContain('runs_completed_total{rsync_id="test"} 1');
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(director.errors()).not.toContain("Debugger");
  });
});

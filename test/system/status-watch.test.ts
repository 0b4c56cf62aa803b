import { rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { builtProgram } from "../support/director-process.ts";
import { makeInstance } from "../support/instance.ts";
import { copyJob } from "../support/running-daemon.ts";
import { openTerminal, whyNoTerminal } from "../support/terminal.ts";

const missing = whyNoTerminal();
const why = missing === undefined ? "" : ` (${missing})`;

/** Enough for a copy at 300 kB/s to be looked at while it runs. */
const large = Buffer.alloc(60_000_000, "x");

const command = (id: string, text: string) => ({
  ...{ id, type: "local" },
  actions: [{ action: "command", id: "say", command: text }],
});

async function prepare({ columns = 100, rows = 30, env = {} as Record<string, string> } = {}) {
  const instance = await makeInstance(({ path }) => ({
    jobs: [
      copyJob(path, { id: "slow" }, 300),
      {
        ...command("patient", "/bin/true"),
        blocks_on: [{ type: "local", path: path("locks/other"), wait_time: "1s" }],
      },
      command("broken", "/bin/false"),
    ],
  }));
  await writeFile(instance.path("source/large"), large);
  const terminal = await openTerminal({ columns, rows, env });
  const program = `${process.execPath} ${builtProgram}`;
  const watch = () =>
    terminal.type(`clear; echo before; ${program} status --watch -c ${instance.configFile}; echo "status was $?"`);
  return { instance, terminal, watch };
}

describe.skipIf(missing !== undefined)(`status --watch in a terminal${why}`, () => {
  it("shows a copy as it moves and ends, and whom a job waits for", async () => {
    const { instance, terminal, watch } = await prepare();
    await instance.start();
    await watch();
    await terminal.waitFor(/slow +NEVER +- /);
    expect(await terminal.modes()).toEqual({ alternate: true, cursor: false });

    await instance.cli("run", "slow", "--detach");
    const percent = async () => Number(/^slow +NEVER +runs +(\d+)%/m.exec(await terminal.screen())?.[1] ?? "0");
    await expect.poll(percent, { timeout: 120_000 }).toBeGreaterThan(0);
    const first = await percent();
    await expect.poll(percent, { timeout: 120_000 }).toBeGreaterThan(first);
    expect(await terminal.screen()).toMatch(/^ {2}copy \[#*\.*\] +\d+% [\d.]+ MB \d+ kB\/s .* left$/m);
    await instance.cli("cancel", "slow");
    await terminal.waitFor(/slow +NEVER +- +cancelled \d+s ago/);

    await writeFile(instance.path("locks/other"), "4711\n");
    await instance.cli("run", "patient", "--detach");
    const waiting = await terminal.waitFor(/patient +NEVER +waits \d+s/);
    expect(waiting.split("\n")[0]).toContain("patient waits for a lock");
    expect(waiting.replaceAll(/\s+/g, " ")).toContain(
      `waits for ${instance.path("locks/other")} since `.replaceAll(/\s+/g, " "),
    );
    expect(waiting).toContain('first line: "4711"');
    await rm(instance.path("locks/other"));
    await terminal.waitFor(/patient +fresh +- +ok \d+s ago/);

    await instance.cli("run", "broken");
    const failed = await terminal.waitFor(/broken +NEVER +- +FAILED \d+s ago/);
    expect(failed).toMatch(/last run: say: \/bin\/false ended with 1 \(rsyncdirector history \S+\)/);
  });

  it("gives the terminal back as it was, at Ctrl-C and at Ctrl-Z", async () => {
    const { instance, terminal, watch } = await prepare();
    await instance.start();
    await watch();
    await terminal.waitFor(/Ctrl-C ends this view/);
    await terminal.press("C-c");
    const left = await terminal.waitFor(/status was \d+/);
    expect(left).toMatch(/^before\n(?:\^C)?status was 0\n/);
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });

    await watch();
    await terminal.waitFor(/Ctrl-C ends this view/);
    await terminal.press("C-z");
    await terminal.waitFor(/Stopped/);
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
    await terminal.type('fg; echo "then $?"');
    await terminal.waitFor(/Ctrl-C ends this view/);
    expect(await terminal.modes()).toEqual({ alternate: true, cursor: false });
    await terminal.press("C-c");
    await terminal.waitFor(/^then 0$/m);
    expect(await terminal.modes()).toEqual({ alternate: false, cursor: true });
  });

  it("survives a restart of the director, and says meanwhile that there is none", async () => {
    const { instance, terminal, watch } = await prepare();
    const first = await instance.start();
    await instance.cli("run", "patient");
    await watch();
    await terminal.waitFor(/patient +fresh +- +ok \d+s ago +\d/);
    first.signal("SIGTERM");
    await first.exited;
    const without = await terminal.waitFor(/no director of test is running here/);
    expect(without).toMatch(/What follows is what the history says/);
    expect(without).toMatch(/patient +fresh +- +ok \d+m?s? ago +\(/);
    await instance.start();
    const again = await terminal.waitFor(/patient +fresh +- +ok \d+m?s? ago +\d/);
    expect(again).not.toContain("no director");
    await instance.cli("run", "broken");
    await terminal.waitFor(/broken +NEVER +- +FAILED \d+s ago/);
  });

  it("fits the terminal, also when it is made smaller, and then shows what is wrong first", async () => {
    const { instance, terminal, watch } = await prepare();
    await instance.start();
    await instance.cli("run", "patient");
    await instance.cli("run", "broken");
    await watch();
    await terminal.waitFor(/^JOB +COPIES +NOW +LAST RUN +NEXT RUN$/m);
    await terminal.resize({ columns: 40, rows: 24 });
    const narrow = await terminal.waitFor(/^broken {2}NEVER\n {2}last run {2}FAILED/m);
    expect(narrow).not.toContain("LAST RUN");
    expect(narrow.split("\n")[0]).toMatch(/^test on /);
    await terminal.resize({ columns: 40, rows: 12 });
    const low = await terminal.waitFor(/… \d+ more lines/);
    expect(low.split("\n")[0]).toMatch(/^test on /);
    expect(low.trimEnd().split("\n")).toHaveLength(12);
    expect(low.trimEnd().split("\n").at(-1)).toMatch(/Ctrl-C ends this view$/);
    await terminal.resize({ columns: 120, rows: 30 });
    await terminal.waitFor(/^JOB +COPIES +NOW +LAST RUN +NEXT RUN$/m);
  });

  it("has no colours where NO_COLOR is set, and refuses where there is no terminal", async () => {
    const { instance, terminal, watch } = await prepare({ env: { NO_COLOR: "1" } });
    await instance.start();
    await watch();
    await terminal.waitFor(/Ctrl-C ends this view/);
    expect(await terminal.screen({ colours: true })).not.toContain("\u001b[3");
    await terminal.press("C-c");
    await terminal.waitFor(/status was 0/);
    const piped = await instance.cli("status", "--watch");
    expect(piped).toMatchObject({ exitCode: 78, stderr: expect.stringContaining("--watch needs a terminal") });
  });
});

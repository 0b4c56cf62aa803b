import { once } from "node:events";
import { chmod, chown, lstat, mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runTool } from "../../src/process/run-tool.ts";
import { startChild } from "../../src/process/start-child.ts";
import { openSocketDirectory } from "../../src/ssh/socket-directory.ts";
import { mastersIn, openSharedConnections, shared } from "../support/shared-connections.ts";
import { masterCommand } from "../../src/ssh/ssh-arguments.ts";
import { holdTimers } from "../support/held-timers.ts";
import { waitUntil } from "../support/process-state.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;

let parent: string;
let path: string;
beforeEach(async () => {
  parent = await makeTempDir();
  path = join(parent, "ssh");
});

const open = async (...candidates: string[]) => {
  const opened = await openSocketDirectory(candidates);
  return "directory" in opened ? opened.directory : opened.problem;
};

describe("the directory of shared connections", () => {
  it("is made for the account alone, and taken over from an earlier life", async () => {
    const directory = await open(path);
    expect(directory).toMatchObject({ path });
    expect((await lstat(path)).mode & 0o777).toBe(0o700);
    expect(await open(path)).toMatchObject({ path });
  });

  it("is refused when it is a symbolic link, a file, or open to others", async () => {
    await mkdir(join(parent, "elsewhere"), { mode: 0o700 });
    await symlink(join(parent, "elsewhere"), join(parent, "link"));
    await writeFile(join(parent, "file"), "");
    await mkdir(join(parent, "open"));
    await chmod(join(parent, "open"), 0o710);
    expect(await open(join(parent, "link"))).toContain("it is a symbolic link");
    expect(await open(join(parent, "file"))).toContain("it is no directory");
    expect(await open(join(parent, "open"))).toContain("others may enter it (mode 710)");
    expect(await open(join(parent, "missing", "ssh"))).toContain("ENOENT");
  });

  it("is refused below a directory where others could put another one in its place", async () => {
    await chmod(parent, 0o777);
    expect(await open(path)).toContain("others may write in the directory above it");
    await chmod(parent, 0o1777);
    expect(await open(path)).toMatchObject({ path });
  });

  it.runIf(process.getuid?.() === 0)("is refused when it, or the one above it, belongs to somebody else", async () => {
    await mkdir(path, { mode: 0o700 });
    await chown(path, 12345, 12345);
    expect(await open(path)).toContain("it belongs to user 12345");
    await chown(path, 0, 0);
    await chown(parent, 12345, 12345);
    expect(await open(path)).toContain("the directory above it belongs to user 12345");
  });

  it("is the next one of the list where a path is too long for a socket", async () => {
    const long = join(parent, "x".repeat(80));
    expect(await open(long, path)).toMatchObject({ path });
    expect(await open(long)).toContain("too long");
  });

  it("is given up, loudly, when it is replaced while the director runs", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    const { pool, log } = await openSharedConnections({ directory: path });
    const endpoint = shared(endpointOf(sshd));
    const lent = await pool.lend(endpoint, never);
    lent.giveBack("well");
    await rename(path, `${path}.away`);
    await symlink(`${path}.away`, path);
    for (const _ of [1, 2]) expect((await pool.lend(endpoint, never)).shell).toEqual(lent.shown);
    expect(log.messages("error")).toEqual(["shared ssh connections are given up: every sync connects by itself"]);
  });

  it("is said to be missing once, and syncs connect by themselves", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    await writeFile(path, "");
    const { pool, log } = await openSharedConnections({ directory: path });
    expect((await pool.lend(shared(endpointOf(sshd)), never)).shell.join(" ")).not.toContain("Control");
    expect(log.lines).toMatchObject([{ level: "warn", fields: { reason: expect.stringContaining("no directory") } }]);
  });
});

describe("what an earlier life left there", () => {
  it("is ended when it lives, and removed when it does not; what is no socket stays", async () => {
    const sshd = await startSshd();
    onTestFinished(() => sshd.stop());
    await mkdir(path, { mode: 0o700 });
    await writeFile(join(path, "note"), "mine");
    const [file, ...args] = masterCommand(endpointOf(sshd), join(path, "living"));
    const living = execa(file, args, { reject: false, stdin: "ignore" });
    onTestFinished(() => void living.kill("SIGKILL"));
    await waitUntil("the master listens", async () => (await readdir(path)).includes("living"));
    const script = `require("net").createServer().listen(${JSON.stringify(join(path, "dead"))}, () => process.kill(process.pid, "SIGKILL"))`;
    await execa(process.execPath, ["-e", script], { reject: false });
    expect((await readdir(path)).toSorted()).toEqual(["dead", "living", "note"]);

    // However long the master takes: it is not silent.
    const patient: typeof runTool = (argv, options) => runTool(argv, { ...options, timeoutMs: 60_000 });
    const { clock } = holdTimers(2000, 10_000);
    const programs = { runTool: patient, startChild };
    const { log } = await openSharedConnections({ directory: path, clock, programs });
    expect((await living).failed).toBeDefined();
    expect(mastersIn(path)).toEqual([]);
    expect(await readdir(path)).toEqual(["note"]);
    expect(log.messages("warn")).toEqual(["ended an ssh master of an earlier life"]);
  });

  it("is not said to be ended when it goes on", async () => {
    await mkdir(path, { mode: 0o700 });
    // It greets as a master does, and hears nobody.
    const greeting = Buffer.from([0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 4]);
    const server = createServer((socket) => void socket.on("error", () => undefined).write(greeting));
    await once(server.listen(join(path, "living")), "listening");
    onTestFinished(() => void server.close());
    const { clock, endNext } = holdTimers(10_000);
    const inVain: typeof runTool = () => Promise.resolve({ exitCode: null, stdout: "", stderr: "" });
    const opened = openSharedConnections({ directory: path, clock, programs: { runTool: inVain, startChild } });
    await endNext();
    const { log } = await opened;
    expect(log.messages("warn")).toEqual(["an ssh master of an earlier life could not be ended: nobody will use it"]);
    expect(await readdir(path)).toEqual([]);
  });

  it("is not waited for when it is silent", async () => {
    await mkdir(path, { mode: 0o700 });
    const server = createServer(() => undefined).listen(join(path, "silent"));
    onTestFinished(() => void server.close());
    const { log } = await openSharedConnections({ directory: path });
    expect(log.messages("warn")).toEqual(["an ssh master of an earlier life does not answer: nobody will use it"]);
    expect(await readdir(path)).toEqual([]);
  });
});

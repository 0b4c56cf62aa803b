import { once } from "node:events";
import { lstatSync, readdirSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { execa } from "execa";
import { OperatorError } from "../../src/base/errors.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { ask } from "../support/web-client.ts";
import { startTestListeners } from "../support/web-listeners.ts";

const modeOf = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

test("only its owner can open it, whatever the umask", async () => {
  const directory = await makeTempDir();
  const before = process.umask(0);
  onTestFinished(() => void process.umask(before));
  const socketPath = join(directory, "rsyncdirector-test.sock");
  const { socket } = await startTestListeners({ socketPath });
  expect(modeOf(socketPath)).toBe("600");
  expect(lstatSync(socketPath).isSocket()).toBe(true);
  expect(readdirSync(directory)).toEqual(["rsyncdirector-test.sock"]);
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test("is gone after the end", async () => {
  const { listeners, socket } = await startTestListeners();
  await listeners.close();
  expect(readdirSync(dirname(socket.socketPath))).toEqual([]);
});

/** A socket as a process leaves it that was killed. */
async function leaveSocket(path: string): Promise<void> {
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  await execa(process.execPath, ["-e", script, path], { reject: false });
}

test("replaces what a crash has left", async () => {
  const socketPath = join(await makeTempDir(), "rsyncdirector-test.sock");
  await leaveSocket(socketPath);
  await expect(ask({ socketPath }, "/")).rejects.toThrow("ECONNREFUSED");
  const { socket } = await startTestListeners({ socketPath });
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test("is never taken from one that answers", async () => {
  const { socket } = await startTestListeners();
  const second = startTestListeners({ socketPath: socket.socketPath });
  await expect(second).rejects.toThrow(OperatorError);
  await expect(second).rejects.toThrow(`another process answers on ${socket.socketPath}`);
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test("is not put in the place of something else", async () => {
  const socketPath = join(await makeTempDir(), "rsyncdirector-test.sock");
  await writeFile(socketPath, "mine");
  await expect(startTestListeners({ socketPath })).rejects.toThrow(
    `${socketPath} is in the way of the control socket: remove it`,
  );
  expect(lstatSync(socketPath).isFile()).toBe(true);
});

test("leaves what another process has put in its place", async () => {
  const { listeners, socket } = await startTestListeners();
  const other = createServer();
  const aside = join(await makeTempDir(), "other");
  other.listen(aside);
  await once(other, "listening");
  onTestFinished(() => void other.close());
  await rename(aside, socket.socketPath);
  await listeners.close();
  const client = connect(socket.socketPath);
  await once(client, "connect");
  expect(readdirSync(dirname(socket.socketPath))).toEqual(["rsyncdirector-test.sock"]);
  client.destroy();
});

test("a name that the kernel does not take is an error for the operator", async () => {
  const socketPath = join(await makeTempDir(), "x".repeat(100), "rsyncdirector-test.sock");
  await expect(startTestListeners({ socketPath })).rejects.toThrow(
    `pid_file_dir: the control socket ${socketPath} has a name of more than 107 bytes, which the kernel does not take`,
  );
});

test("the longest name that the kernel takes is used", async () => {
  const directory = await makeTempDir();
  const socketPath = join(directory, `${"x".repeat(107 - directory.length - 6)}.sock`);
  expect(Buffer.byteLength(socketPath)).toBe(107);
  const { socket } = await startTestListeners({ socketPath });
  expect((await ask(socket, "/api/v1/status")).status).toBe(200);
});

test("nothing is left when the rest of the start fails", async () => {
  const directory = await makeTempDir();
  const socketPath = join(directory, "rsyncdirector-test.sock");
  const failing = startTestListeners({ socketPath, web: { tokenFile: join(directory, "none") } });
  await expect(failing).rejects.toThrow(`web.token_file: ${join(directory, "none")} does not exist`);
  expect(readdirSync(directory)).toEqual([]);
});

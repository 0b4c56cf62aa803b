// A script of the kind that starts an ssh and an rsync for every file, each after a quiet time of its own.
// Arguments: source, dest, host, the ssh command, the quiet time (ms). Reads paths below the source, one a line.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

const [source, dest, host, rsh, quietMs] = process.argv.slice(2);
const timers = new Map();

for await (const path of createInterface({ input: process.stdin })) {
  clearTimeout(timers.get(path));
  timers.set(
    path,
    setTimeout(() => void send(path), Number(quietMs)),
  );
}

async function send(path) {
  timers.delete(path);
  const [ssh, ...options] = rsh.split(" ");
  await run(ssh, [...options, host, `mkdir -p '${dest}/${dirname(path)}'`]);
  await run("rsync", ["-a", "-e", rsh, `${source}/${path}`, `${host}:${dest}/${path}`]);
}

async function run(file, args) {
  const [code] = await once(spawn(file, args, { stdio: ["ignore", "ignore", "inherit"] }), "exit");
  if (code !== 0) console.error(`${file} for a file ended with ${code}`);
}

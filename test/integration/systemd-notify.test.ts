import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { connectServiceManager } from "../../src/daemon/systemd/service-manager.ts";
import { findProgram } from "../../src/process/find-program.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { waitUntil } from "../support/process-state.ts";
import { makeTempDir } from "../support/temp-dir.ts";

// Node has no sockets of this kind; every Debian has a perl with them.
const receiver = `
use Socket; $| = 1;
socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, pack_sockaddr_un($ARGV[0])) or die;
while (defined recv($s, my $m, 65536, 0)) { $m =~ s/\\n/ /g; print "$m\\n"; }
`;

const missing = ["systemd-notify", "perl"].filter((name) => !findProgram(name, process.env["PATH"] ?? ""));
if (missing.length > 0) console.warn(`SKIPPED messages through the real systemd-notify: no ${missing.join(", ")} here`);

describe.skipIf(missing.length > 0)("the real systemd-notify", () => {
  it("brings every message to the socket, and an end to a director whose socket is gone", async () => {
    const socket = join(await makeTempDir(), "notify");
    const child = spawn("perl", ["-e", receiver, socket], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill());
    let received = "";
    child.stdout.on("data", (chunk: Buffer) => (received += String(chunk)));
    await waitUntil("the socket", () => existsSync(socket));
    const log = createMemoryLog();
    const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: "200000", WATCHDOG_PID: String(process.pid) };
    const service = connectServiceManager({ env, pid: process.pid, runTool, clock: systemClock, log });
    service.ready();
    await waitUntil("a sign of life", () => received.includes("WATCHDOG=1"));
    service.stopping();
    await service.close();
    await waitUntil("the last message", () => received.includes("STOPPING=1"));
    expect(received.split("\n")[0]).toMatch(/^READY=1 STATUS= ?/);
    expect(log.lines).toEqual([]);

    const nowhere = connectServiceManager({
      ...{ env: { NOTIFY_SOCKET: `${socket}.gone` }, pid: process.pid, runTool, clock: systemClock, log },
    });
    nowhere.ready();
    nowhere.stopping();
    await nowhere.close();
    expect(log.messages("warn")).toEqual(["systemd could not be told how the director is"]);
  });
});

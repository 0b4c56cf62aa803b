import { spawnSync } from "node:child_process";
import { execa } from "execa";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { claimOf } from "../contract/lock-transport.contract.ts";
import { holdTimers } from "../support/held-timers.ts";
import { holdGuard } from "../support/hold-guard.ts";
import { openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { isAlive, waitUntil } from "../support/process-state.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const never = new AbortController().signal;
const mine = "my-own-token-0123456789";
const theirs = "their-token-0123456789-";
const ways = { ssh: openSshWorld, sftp: openSftpWorld };

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const operationMs = 20_000;
async function reach(way: keyof typeof ways, clock?: Clock): Promise<LockTransport> {
  const world = await ways[way](endpointOf(sshd), operationMs, clock && { operations: clock });
  onTestFinished(() => world.close());
  return world.newTransport();
}
const newLock = async () => join(await makeTempDir(), "a.lock");
const take = async (transport: LockTransport, path: string, token = mine) =>
  (await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never)).claims[0];
const release = async (transport: LockTransport, path: string) =>
  (await transport.release([{ path, token: mine }], never))[0];

/** Stops processes for the rest of the test, or until they are continued. */
function stop(pids: readonly number[]): () => void {
  const proceed = () => {
    for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGCONT");
  };
  onTestFinished(proceed);
  // A program that the script has just started may have ended since it was listed.
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGSTOP");
  return proceed;
}

async function sessions(): Promise<number[]> {
  const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)], { reject: false });
  return stdout.split("\n").filter(Boolean).map(Number);
}

describe.each(["ssh", "sftp"] as const)("a lock host that stands still, over %s", (way) => {
  it("may carry out late what a stopped session was sent, and gives it back by the token", async () => {
    const { clock, endNext } = holdTimers(operationMs);
    const transport = await reach(way, clock);
    const path = await newLock();
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
    const stopped = await sessions();
    const proceed = stop(stopped);
    const claim = take(transport, path);
    await endNext();
    // Over sftp the look comes first; nothing was sent yet that changes anything.
    expect(await claim).toMatchObject({ kind: "unknown", mayHaveRun: way === "ssh" });
    proceed();
    await waitUntil("the old session is over", () => !stopped.some(isAlive));
    expect(await take(transport, path)).toMatchObject({ kind: "acquired" });
    expect(await take(transport, path, theirs)).toMatchObject({ kind: "held", found: { record: { token: mine } } });
    expect(await release(transport, path)).toEqual({ kind: "released" });
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
  });
});

/** The shells that have a file open under the number that the lock functions use for the guard. */
async function shellsWithGuard(path: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const open = await Promise.all(
    pids.map(async (pid) => {
      const [guard, program] = await Promise.all(
        ["fd/9", "exe"].map((name) => readlink(`/proc/${pid}/${name}`).catch(() => "")),
      );
      return guard === `${path}.guard` && program?.endsWith("sh") === true ? pid : undefined;
    }),
  );
  return open.filter((pid) => pid !== undefined);
}

describe("a lock script that is stopped while it has the guard", () => {
  it("keeps everybody out, which is told as busy, and is finished when it goes on", async () => {
    const { clock, endNext } = holdTimers(operationMs);
    const [slow, other] = await Promise.all([reach("ssh", clock), reach("ssh")]);
    const path = await newLock();
    await slow.check([path], never);
    // It gets the guard only when it is stopped already, so that it is stopped just there.
    const guard = await holdGuard(path);
    const claim = take(slow, path);
    await guard.waitedFor();
    const shells = await shellsWithGuard(path);
    const proceed = stop(shells);
    await guard.letGo();
    await waitUntil("it has the guard", () => spawnSync("flock", ["-n", `${path}.guard`, "true"]).status === 1);
    await endNext();
    expect(await claim).toMatchObject({ kind: "unknown", mayHaveRun: true });
    expect(await take(other, path, theirs)).toEqual({ kind: "busy" });
    expect(await other.check([path], never)).toEqual([{ kind: "absent" }]);
    proceed();
    await waitUntil("the script is over", () => !shells.some(isAlive));
    // What was given up was carried out late: the token tells whose it is.
    expect(await take(other, path, theirs)).toMatchObject({ kind: "held", found: { record: { token: mine } } });
    expect(await take(slow, path)).toEqual({ kind: "acquired", already: true });
    expect(await release(slow, path)).toEqual({ kind: "released" });
    expect(await take(other, path, theirs)).toEqual({ kind: "acquired" });
  });
});

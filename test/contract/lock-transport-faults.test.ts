import { execa } from "execa";
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createLocalTransport } from "../../src/lock/transport/local-transport.ts";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { holdTimers } from "../support/held-timers.ts";
import { holdGuard } from "../support/hold-guard.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { killHelper } from "../support/lock-shell.ts";
import { openDiskWorld, openHelperWorld, openLocalWorld, openSshWorld } from "../support/lock-worlds.ts";
import { runTool } from "../../src/process/run-tool.ts";
import { waitUntil } from "../support/process-state.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { claimOf, type LockWorld } from "./lock-transport.contract.ts";

const never = new AbortController().signal;
const mine = "my-own-token-0123456789";

async function take(transport: LockTransport, path: string) {
  return (await transport.acquire({ claims: [claimOf(path, mine)], thenCheck: [] }, new AbortController().signal))
    .claims[0];
}

async function openWorld(open: () => Promise<LockWorld>): Promise<{ world: LockWorld; transport: LockTransport }> {
  const world = await open();
  onTestFinished(() => world.close());
  return { world, transport: await world.newTransport() };
}

describe("a guard that is held by a stopped process", () => {
  it("keeps the lock from being taken or released, here", async () => {
    const { world, transport } = await openWorld(openLocalWorld);
    const path = world.path("a.lock");
    await take(transport, path);
    const guard = await holdGuard(path);
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "busy" }]);
    expect(await transport.check([path], never)).toMatchObject([{ kind: "held" }]);
    expect(await transport.beat([{ path, token: mine }], never)).toEqual([{ kind: "busy" }]);
    const stale = { path, token: mine, mtime: 0 };
    expect(await transport.break(stale, never)).toEqual({ kind: "busy" });
    await guard.letGo();
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "released" }]);
  });
});

describe("a lock that changes while its guard is waited for", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());

  it.each([
    ["local", () => openLocalWorld()],
    ["ssh", () => openSshWorld(endpointOf(sshd))],
    ["ssh with a helper", () => openHelperWorld(endpointOf(sshd))],
  ] as const)("is taken when it was given back (%s)", async (_, open) => {
    const { world, transport } = await openWorld(open);
    const path = world.path("a.lock");
    await world.plant(path, { content: claimOf(path, "token-of-another-0123456").content });
    const guard = await holdGuard(path);
    const claim = take(transport, path);
    await guard.waitedFor();
    await rm(path);
    await guard.letGo();
    expect(await claim).toEqual({ kind: "acquired" });
  });

  it.each([
    ["local", () => openLocalWorld()],
    ["ssh with a helper", () => openHelperWorld(endpointOf(sshd))],
  ] as const)("is not given back beside its writer when it was promoted (%s)", async (_, open) => {
    const { world, transport } = await openWorld(open);
    const path = world.path("a.lock");
    const content = lockContent({ token: mine, state: "claim", hold: true });
    const claim = await transport.acquire({ claims: [{ path, token: mine, content }], thenCheck: [] }, never);
    expect(claim.claims).toEqual([{ kind: "acquired" }]);
    const [writer, guard] = [await world.lock(`${path}.hold`), await holdGuard(path)];
    const release = transport.release([{ path, token: mine }], never);
    await guard.waitedFor();
    await world.plant(path, { content: content.replace("claim", "held") });
    await guard.letGo();
    expect(await release).toEqual([{ kind: "in-use" }]);
    await writer();
  });
});

describe("a full disk", () => {
  it("leaves no lock and no torn file behind", async (context) => {
    const directory = await makeTempDir();
    const mount = await execa("mount", ["-t", "tmpfs", "-o", "size=16k,nr_inodes=20", "tmpfs", directory], {
      reject: false,
    });
    if (mount.exitCode !== 0) return context.skip(`tmpfs cannot be mounted: ${mount.stderr}`);
    onTestFinished(async () => void (await execa("umount", ["--lazy", directory])));
    const transport = createLocalTransport({ runTool, operationTimeoutMs: 20_000 });
    const world = await openDiskWorld(() => transport, { below: directory });
    const [held, wanted] = [world.path("held.lock"), world.path("wanted.lock")];
    expect(await take(transport, held)).toEqual({ kind: "acquired" });
    await execa("dd", ["if=/dev/zero", `of=${join(directory, "filler")}`, "bs=1k"], { reject: false });
    expect(await take(transport, wanted)).toMatchObject({ kind: "error" });
    const names = ["held.lock", "held.lock.guard", `held.lock.tmp.${mine}`, "wanted.lock.guard"];
    expect((await readdir(dirname(wanted))).toSorted()).toEqual(names);
    // What is held goes on living: neither a sign of life nor a promotion needs space.
    expect(await transport.beat([{ path: held, token: mine }], never)).toEqual([{ kind: "beaten" }]);
    expect(await transport.promote([claimOf(held, mine)], never)).toEqual([{ kind: "promoted" }]);
    expect(await world.read(held)).toBe(claimOf(held, mine).content);
    expect(await transport.release([{ path: held, token: mine }], never)).toEqual([{ kind: "released" }]);
  });
});

describe("over a real sshd", () => {
  let sshd: TestSshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd.stop());
  let world: LockWorld;
  let transport: LockTransport;
  beforeEach(async () => {
    world = await openSshWorld(endpointOf(sshd), 8000);
    transport = await world.newTransport();
  });
  afterEach(() => world.close());

  const sessions = async () => {
    const { stdout } = await execa("pgrep", ["-P", String(sshd.pid)], { reject: false });
    return stdout.split("\n").filter(Boolean).map(Number);
  };

  it("answers unknown when the connection is cut in mid-operation, and works again afterwards", async () => {
    const path = world.path("a.lock");
    await transport.check([path], never);
    const guard = await holdGuard(path);
    const claim = take(transport, path);
    await guard.waitedFor();
    for (const session of await sessions()) process.kill(session, "SIGKILL");
    expect(await claim).toEqual({ kind: "unknown", detail: "the connection was lost", mayHaveRun: true });
    await guard.letGo();
    // The shell lives on without its sshd until it is done: by then the lock is there, as a whole, or it is not.
    expect(await take(transport, path)).toMatchObject({ kind: "acquired" });
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "released" }]);
  });

  it("answers unknown when the server falls silent, and connects anew", async () => {
    const path = world.path("a.lock");
    await transport.check([path], never);
    const stopped = await sessions();
    for (const session of stopped) process.kill(session, "SIGSTOP");
    expect(await transport.check([path], never)).toMatchObject([{ kind: "unknown", detail: "no answer within 8 s" }]);
    for (const session of stopped) process.kill(session, "SIGKILL");
    expect(await transport.check([path], never)).toEqual([{ kind: "absent" }]);
  });

  it.each([
    ["LINK", (transport: LockTransport, path: string) => take(transport, path), { kind: "acquired" }],
    [
      "REMOVE",
      async (transport: LockTransport, path: string) => (await transport.release([{ path, token: mine }], never))[0],
      { kind: "absent" },
    ],
  ] as const)(
    "answers unknown when the helper dies after a %s, and finds with another one that it was made",
    async (order, operation, later) => {
      let killed = 0;
      const { world: helped, transport } = await openWorld(() =>
        openHelperWorld(endpointOf(sshd), {
          alter: (script) => (killed++ === 0 ? killHelper({ order, after: true })(script) : script),
        }),
      );
      const path = helped.path("a.lock");
      if (order === "REMOVE") expect(await take(transport, path)).toEqual({ kind: "acquired" });
      expect(await operation(transport, path)).toEqual({
        kind: "unknown",
        detail: "the connection was lost",
        mayHaveRun: true,
      });
      expect(await operation(transport, path)).toMatchObject(later);
    },
  );

  it("carries operations out in the order of the calls", async () => {
    const path = world.path("a.lock");
    const claim = take(transport, path);
    const release = transport.release([{ path, token: mine }], never);
    expect(await claim).toEqual({ kind: "acquired" });
    expect(await release).toEqual([{ kind: "released" }]);
  });

  it("uses one connection for operations at the same time", async () => {
    const paths = Array.from({ length: 30 }, (_, index) => world.path(`${index}`));
    // Those of the tests before may take a moment to end.
    await waitUntil("no session is left", async () => (await sessions()).length === 0);
    await Promise.all(paths.map((path) => take(transport, path)));
    expect(await sessions()).toHaveLength(1);
  });
});

describe("accounts that are not a plain shell", () => {
  const openAccount = async (forceCommand: string) => {
    const sshd = await startSshd({ config: [`ForceCommand ${forceCommand}`] });
    onTestFinished(() => sshd.stop());
    return openWorld(() => openSshWorld(endpointOf(sshd)));
  };

  it("does not mind a login that prints, even what looks like an answer", async () => {
    const noise = "echo welcome; echo RD1 0123456789abcdef 0 ABSENT; printf 'no end of line'; echo >&2 oops;";
    const { world, transport } = await openAccount(`${noise} echo; eval "$SSH_ORIGINAL_COMMAND"; echo bye`);
    const path = world.path("a.lock");
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    expect(await transport.check([path], never)).toMatchObject([{ kind: "held" }]);
  });

  it("says what an account without a shell answers instead", async () => {
    const { world, transport } = await openAccount("echo This account is not available; exit 1");
    const [answer] = await transport.check([world.path("a.lock")], never);
    expect(answer).toMatchObject({ kind: "unknown" });
    expect(JSON.stringify(answer)).toContain("This account is not available");
  });

  it("hears the last words also when they come after the end", async () => {
    const sshd = await startSshd({ config: ["ForceCommand (sleep 0.2; echo This account is not available) & exit 1"] });
    onTestFinished(() => sshd.stop());
    // How long it is waited for them is held: they end with the channel.
    const { clock } = holdTimers(500);
    const { world, transport } = await openWorld(() => openSshWorld(endpointOf(sshd), 20_000, { connections: clock }));
    const [answer] = await transport.check([world.path("a.lock")], never);
    expect(JSON.stringify(answer)).toContain("This account is not available");
  });

  it.each(["ssh2", "openssh"] as const)(
    "takes one that was killed for a lost connection, where a login shell waits for it (%s)",
    async (carrier) => {
      const sshd = await startSshd({ config: ["ForceCommand /bin/sh -s; exit $?"] });
      onTestFinished(() => sshd.stop());
      const alter = killHelper({ order: "LINK", after: false });
      const onNoShell = vi.fn<() => void>();
      const { world, transport } = await openWorld(() =>
        openHelperWorld(endpointOf(sshd, { transport: carrier }), { alter, onNoShell }),
      );
      expect(await take(transport, world.path("a.lock"))).toMatchObject({ kind: "unknown", mayHaveRun: true });
      expect(onNoShell).not.toHaveBeenCalled();
    },
  );

  it("says so when only sftp is allowed", async () => {
    const { world, transport } = await openAccount("internal-sftp");
    const [answer] = await transport.check([world.path("a.lock")], never);
    expect(answer).toMatchObject({ kind: "unknown" });
    expect(JSON.stringify(answer)).toMatch(/sftp/);
  });

  it.for(["bash --posix", "busybox sh"])("works where /bin/sh is %s", async (shell, context) => {
    const [program = ""] = shell.split(" ");
    const found = await execa("which", [program], { reject: false });
    if (found.exitCode !== 0) return context.skip(`${program} is not installed here`);
    const { world, transport } = await openAccount(`exec ${shell} -s`);
    const path = world.path("a $(b) 'c'.lock");
    expect(await transport.check([path, "/nowhere/x"], never)).toMatchObject([{ kind: "absent" }, { kind: "error" }]);
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    expect(await transport.check([path], never)).toMatchObject([{ kind: "held", found: { owner: "777" } }]);
    expect(await transport.beat([{ path, token: mine }], never)).toEqual([{ kind: "beaten" }]);
    expect(await transport.release([{ path, token: mine }], never)).toEqual([{ kind: "released" }]);
    const settle = { claims: [claimOf(path, mine)], thenCheck: [world.path("b")], thenPromote: [claimOf(path, mine)] };
    expect((await transport.acquire(settle, never)).promotions).toEqual([{ kind: "promoted" }]);
    await world.makeOlder(path, 1000);
    const [seen] = await transport.check([path], never);
    const mtime = seen?.kind === "held" ? seen.found.mtime : 0;
    const letGo = await world.lock(`${path}.hold`);
    const stale = { path, token: mine, mtime };
    expect(await transport.break(stale, never)).toEqual({ kind: "in-use" });
    await letGo();
    expect(await transport.break(stale, never)).toEqual({ kind: "broken" });
    const [abilities] = await transport.probe([path.slice(0, path.lastIndexOf("/"))], never);
    expect(abilities).toMatchObject({ kind: "probed", exclusive: true, hardLinks: true, flock: true });
  });
});

describe("a directory in which nothing may be written", () => {
  it("is refused for a lock, with the reason", async () => {
    const transport = createLocalTransport({ runTool, operationTimeoutMs: 20_000 });
    const answer = await take(transport, "/proc/rsyncdirector-test.lock");
    expect(answer).toMatchObject({ kind: "error", detail: expect.stringContaining("guard file") });
  });
});

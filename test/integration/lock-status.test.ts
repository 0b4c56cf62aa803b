import { rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { formatStatus, parseStatus, statusPath } from "../../src/lock/lease/lock-status.ts";
import { lockContent } from "../support/lock-fixture.ts";
import { openLocalWorld, openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const token = "t".repeat(22);
const never = new AbortController().signal;
const status = {
  ...{ token, job: "it's $HOME `home`", action: "copy", started: "2026-03-01T00:00:00Z", at: "2026-03-01T00:01:00Z" },
  ...{ percent: 43, bytes: 1, rate: 2, eta: null },
};
const line = formatStatus(status) ?? "";

describe("the status of a lock", () => {
  let sshd: TestSshd;
  beforeAll(async () => void (sshd = await startSshd()));
  afterAll(() => sshd.stop());

  async function takeLock(open: () => ReturnType<typeof openLocalWorld>) {
    const world = await open();
    onTestFinished(() => world.close());
    const path = world.path("it's a lock");
    const transport = await world.newTransport();
    const content = lockContent({ token });
    const taken = await transport.acquire({ claims: [{ path, token, content }], thenCheck: [] }, never);
    expect(taken.claims).toEqual([{ kind: "acquired" }]);
    const beat = async (text?: string) => (await transport.beat([{ path, token, status: text }], never))[0]?.kind;
    const read = async () => {
      const [answer] = await transport.check([statusPath(path)], never);
      return answer?.kind === "held" ? parseStatus(answer.found.owner, token) : answer?.kind;
    };
    return { world, path, transport, beat, read };
  }

  const ways = [
    ["here", () => openLocalWorld()],
    ["over ssh", () => openSshWorld(endpointOf(sshd))],
  ] as const;

  it.each(ways)("comes with a sign of life, can be read by others, and goes with the lock: %s", async (_, open) => {
    const { world, path, transport, beat, read } = await takeLock(open);
    expect(await beat()).toBe("beaten");
    expect(await read()).toBe("absent");
    expect(await beat(line)).toBe("beaten");
    expect(await read()).toEqual(status);
    expect(await beat(formatStatus({ ...status, percent: 44 }))).toBe("beaten");
    expect(await read()).toMatchObject({ percent: 44 });
    expect(await beat()).toBe("beaten");
    expect(await read()).toMatchObject({ percent: 44 });
    expect((await world.list()).filter((name) => name.includes("status.tmp"))).toEqual([]);
    expect((await transport.release([{ path, token }], never))[0]?.kind).toBe("released");
    expect(await read()).toBe("absent");
  });

  it("goes with a lock that is broken", async () => {
    const { path, transport, beat, read } = await takeLock(openLocalWorld);
    await beat(line);
    const [found] = await transport.check([path], never);
    const mtime = found?.kind === "held" ? found.found.mtime : 0;
    expect(await transport.break({ path, token, mtime }, never)).toEqual({ kind: "broken" });
    expect(await read()).toBe("absent");
  });

  it.each(["directory", "symlink", "fifo"] as const)(
    "never fails a sign of life: a %s is in its place",
    async (what) => {
      const { world, path, beat } = await takeLock(openLocalWorld);
      await world.plant(statusPath(path), what);
      expect(await beat(line)).toBe("beaten");
      expect(await world.read(world.path("elsewhere"))).toBeUndefined();
    },
  );

  it("is not written for a lock that is another's by now", async () => {
    const { world, path, beat, read } = await takeLock(openLocalWorld);
    await rm(path);
    await world.plant(path, { content: lockContent({ token: "u".repeat(22) }) });
    expect(await beat(line)).not.toBe("beaten");
    expect(await read()).toBe("absent");
  });

  it("is left out over sftp, where the sign of life is none the worse", async () => {
    const { beat, read } = await takeLock(() => openSftpWorld(endpointOf(sshd)));
    expect(await beat(line)).toBe("beaten");
    expect(await read()).toBe("absent");
  });
});

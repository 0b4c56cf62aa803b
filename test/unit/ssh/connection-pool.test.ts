import { beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import type { SshEndpoint } from "../../../src/config/resolved.ts";
import type { Connection, ConnectResult } from "../../../src/ssh/connection.ts";
import { createConnectionPool } from "../../../src/ssh/connection-pool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

function fakeConnection(name: string): Connection & { ended: string | undefined } {
  const connection = {
    name,
    ended: undefined as string | undefined,
    get closed() {
      return connection.ended !== undefined;
    },
    onClosed: () => undefined,
    carrier: { name: "ssh2" } as const,
    openShell: () => Promise.reject(new Error("not here")),
    openSftp: () => Promise.reject(new Error("not here")),
    openStream: () => Promise.reject(new Error("not here")),
    destroy: (cause: string) => void (connection.ended ??= cause),
  };
  return connection;
}

describe("the connection pool", () => {
  let clock: FakeClock;
  let opened: ReturnType<typeof fakeConnection>[];
  let underWay: number;
  let mostUnderWay: number;
  let fail: (() => ConnectResult) | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    opened = [];
    underWay = mostUnderWay = 0;
    fail = undefined;
  });
  const createPool = () =>
    createConnectionPool({
      clock,
      log: silentLogger,
      startChild: () => {
        throw new Error("not here");
      },
      runTool: (command) => {
        const [user, host] = (command.at(-1) ?? "").split("@");
        return Promise.resolve({ exitCode: 0, stdout: `user ${user}\nhostname ${host}\nport 22\n`, stderr: "" });
      },
      open: async (host): Promise<ConnectResult> => {
        underWay += 1;
        mostUnderWay = Math.max(mostUnderWay, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        const connection = fakeConnection(`${host.user}@${host.hostname}`);
        opened.push(connection);
        return fail?.() ?? { kind: "connected", connection };
      },
    });
  const as = (user: string, overrides: Partial<SshEndpoint> = {}) => ({ ...plainEndpoint, user, ...overrides });
  const nameOf = (connection: Connection) => Promise.resolve(connection.name);

  it("shares one connection per account, also while it is being made", async () => {
    const pool = createPool();
    await Promise.all([pool.use(as("root"), nameOf), pool.use(as("root"), nameOf)]);
    expect(await pool.use(as("root"), nameOf)).toEqual({ kind: "done", value: "root@backup01" });
    expect(opened).toHaveLength(1);
    await pool.use(as("backup"), nameOf);
    expect(opened).toHaveLength(2);
  });

  it("logs in to one host once at a time, and to several at once", async () => {
    const pool = createPool();
    await Promise.all(["a", "b", "c"].map((user) => pool.use(as(user), nameOf)));
    expect(mostUnderWay).toBe(1);
    await Promise.all(["x", "y"].map((host) => pool.use(as("a", { host }), nameOf)));
    expect(mostUnderWay).toBe(2);
  });

  it("closes a connection 90 s after its last use, never during one", async () => {
    const pool = createPool();
    let finish: () => void = () => undefined;
    const work = pool.use(as("root"), () => new Promise<void>((resolve) => (finish = resolve)));
    await clock.advance(500_000);
    expect(opened[0]?.ended).toBeUndefined();
    finish();
    await work;
    await clock.advance(89_999);
    await pool.use(as("root"), nameOf);
    await clock.advance(89_999);
    expect(opened[0]?.ended).toBeUndefined();
    await clock.advance(1);
    expect(opened[0]?.ended).toBe("nobody used the connection");
    await pool.use(as("root"), nameOf);
    expect(opened).toHaveLength(2);
  });

  it("replaces a connection that has died", async () => {
    const pool = createPool();
    await pool.use(as("root"), nameOf);
    opened[0]?.destroy("reset");
    await Promise.all([pool.use(as("root"), nameOf), pool.use(as("root"), nameOf)]);
    expect(opened).toHaveLength(2);
  });

  it("tries a host that cannot be reached again at once", async () => {
    const pool = createPool();
    fail = () => ({ kind: "unreachable", message: "refused" });
    expect(await pool.use(as("root"), nameOf)).toEqual({ kind: "unreachable", message: "refused" });
    fail = undefined;
    expect((await pool.use(as("root"), nameOf)).kind).toBe("done");
  });

  it("does not repeat a login that was refused for 1, 2, 5 and then 15 minutes", async () => {
    const pool = createPool();
    fail = () => ({ kind: "refused", message: "bad key", contacted: true });
    for (const [tries, minutes] of [1, 2, 5, 15, 15].entries()) {
      await pool.use(as("root"), nameOf);
      expect(opened).toHaveLength(tries + 1);
      await clock.advance(minutes * 60_000 - 1000);
      const answer = await pool.use(as("root"), nameOf);
      expect(answer).toMatchObject({
        kind: "refused",
        message: expect.stringMatching(/^bad key \(not tried again for 1 s/),
      });
      expect(opened).toHaveLength(tries + 1);
      await clock.advance(1000);
    }
    fail = undefined;
    expect((await pool.use(as("root"), nameOf)).kind).toBe("done");
    await pool.use(as("backup"), nameOf);
  });

  it("tries again at once when the host never noticed, because a person has put the key right", async () => {
    const pool = createPool();
    fail = () => ({ kind: "refused", message: "no key", contacted: false });
    await pool.use(as("root"), nameOf);
    fail = undefined;
    expect((await pool.use(as("root"), nameOf)).kind).toBe("done");
  });

  it("keeps the refusal of one account from others on the same host", async () => {
    const pool = createPool();
    fail = () => ({ kind: "refused", message: "bad key", contacted: true });
    await pool.use(as("root"), nameOf);
    fail = undefined;
    expect((await pool.use(as("backup"), nameOf)).kind).toBe("done");
  });

  it("ends its connections and opens no more when it is closed", async () => {
    const pool = createPool();
    await pool.use(as("root"), nameOf);
    await pool.close();
    expect(opened[0]?.ended).toBeDefined();
    expect((await pool.use(as("root"), nameOf)).kind).toBe("unreachable");
    expect(opened).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import type { Master, MasterStart } from "../../../src/ssh/master.ts";
import { MasterKeeper } from "../../../src/ssh/master-keeper.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";
import { plainEndpoint } from "../../support/ssh-endpoint.ts";

const never = new AbortController().signal;

/** A master that answers unless the test says otherwise. */
class MadeUpMaster implements Master {
  ended = false;
  answering = true;
  trips = 0;
  readonly socket: string;
  readonly #listeners: (() => void)[] = [];

  constructor(socket: string) {
    this.socket = socket;
  }

  onEnded(listener: () => void): void {
    this.#listeners.push(listener);
  }

  answers(): Promise<boolean> {
    return Promise.resolve(this.answering);
  }

  roundTrip(): Promise<number | undefined> {
    this.trips += 1;
    return Promise.resolve(40);
  }

  stop(): Promise<void> {
    this.ended = true;
    for (const listener of this.#listeners) listener();
    return Promise.resolve();
  }
}

let clock: FakeClock;
let log: ReturnType<typeof createMemoryLog>;
let masters: MadeUpMaster[];
let starts: number;
let keeper: MasterKeeper;
/** How the next start goes. */
let login: (socket: string) => Promise<MasterStart>;

beforeEach(() => {
  clock = new FakeClock();
  log = createMemoryLog();
  masters = [];
  starts = 0;
  login = async (socket) => {
    const master = new MadeUpMaster(socket);
    masters.push(master);
    return { kind: "ready", master };
  };
  const unused = () => {
    throw new Error("the keeper starts no programs itself");
  };
  keeper = new MasterKeeper(
    { endpoint: plainEndpoint, idleMs: 60_000, name: "one" },
    {
      ...{ runTool: unused, startChild: unused, clock, log, directory: "/run/x", signal: never },
      start: (_, socket) => {
        starts += 1;
        return login(socket);
      },
    },
  );
});

const socketOf = async () => (await keeper.take(never))?.socket;

describe("the master of an endpoint", () => {
  it("is not tried again at once when it cannot log in, and says why once", async () => {
    login = async () => ({ kind: "refused", message: "no" });
    expect(await socketOf()).toBeUndefined();
    await clock.advance(59_000);
    expect(await socketOf()).toBeUndefined();
    expect(starts).toBe(1);
    await clock.advance(1000);
    expect(await socketOf()).toBeUndefined();
    expect(starts).toBe(2);
    expect(log.messages("warn")).toEqual(["no shared ssh connection: syncs connect by themselves"]);
  });

  it("is waited for five seconds at most, and used by those who come later", async () => {
    let finish: () => void = () => undefined;
    const ready = login;
    login = (socket) => new Promise((resolve) => void (finish = () => resolve(ready(socket))));
    const first = socketOf();
    await clock.advance(3000);
    const second = socketOf();
    await clock.advance(2000);
    expect([await first, await second, await socketOf()]).toEqual([undefined, undefined, undefined]);
    finish();
    await clock.advance(0);
    expect(await socketOf()).toBe("/run/x/one.1");
    expect(starts).toBe(1);
  });

  it("is not waited for once the sync is to be stopped", async () => {
    login = () => new Promise(() => undefined);
    const stopping = new AbortController();
    const taken = keeper.take(stopping.signal);
    stopping.abort();
    expect(await taken).toBeUndefined();
    expect(await keeper.take(stopping.signal)).toBeUndefined();
  });

  it("is left to those who use it after a sync of somebody else has failed through it", async () => {
    const [failing, other] = [await keeper.take(never), await keeper.take(never)];
    failing?.end("broken");
    expect(masters[0]?.ended).toBe(false);
    expect(await socketOf()).toBe("/run/x/one.2");
    other?.end("well");
    expect(masters.map(({ ended }) => ended)).toEqual([true, false]);
  });

  it("is replaced after an hour, and ends with the last of its users", async () => {
    const long = await keeper.take(never);
    await clock.advance(3_600_001);
    expect(await socketOf()).toBe("/run/x/one.2");
    expect(masters[0]?.ended).toBe(false);
    long?.end("unclear");
    expect(masters[0]?.ended).toBe(true);
  });

  it("is kept after a stopped sync if the other side answers, and given up if it does not", async () => {
    (await keeper.take(never))?.end("unclear");
    await clock.advance(0);
    expect(masters[0]?.ended).toBe(false);
    const stopped = await keeper.take(never);
    masters[0]!.answering = false;
    stopped?.end("unclear");
    await clock.advance(0);
    expect(masters[0]?.ended).toBe(true);
  });

  it("tells a round trip that it measured, and measures again after ten minutes", async () => {
    const session = await keeper.take(never);
    expect([await session?.roundTrip(), await session?.roundTrip()]).toEqual([40, 40]);
    expect(masters[0]?.trips).toBe(1);
    await clock.advance(600_001);
    await session?.roundTrip();
    expect(masters[0]?.trips).toBe(2);
  });

  it("ends when the keeper is closed, used or not", async () => {
    await keeper.take(never);
    await keeper.close();
    expect(masters[0]?.ended).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });
});

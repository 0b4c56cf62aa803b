import { beforeEach, describe, expect, it } from "vitest";
import type { Job, LockFile } from "../../../../src/config/resolved.ts";
import { findTwin } from "../../../../src/lock/claim/claim-twin.ts";
import type { LockTransport } from "../../../../src/lock/transport/lock-transport.ts";
import { buildJob } from "../../../support/build-job.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { blockOn, createDirector, remoteLock } from "../../../support/lock-fixture.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";

type Names = Parameters<typeof createDirector>[0]["names"];

describe("a file that a job's locks lead to twice", () => {
  let clock: FakeClock;
  let backup: MemoryLockHost;
  let other: MemoryLockHost;

  beforeEach(() => {
    clock = new FakeClock();
    backup = new MemoryLockHost("backup", clock);
    other = new MemoryLockHost("other", clock);
  });

  const claim = async (locks: Partial<Job> & { lockFiles: readonly LockFile[] }, names: Names) => {
    const director = createDirector({ hosts: [backup, other], clock, names: names ?? {} });
    const { signal } = new AbortController();
    return { ...director, result: await director.locks.claim({ job: buildJob(locks), runId: "run", signal }) };
  };
  const at = (host: string, name = "a") => remoteLock(host, `/locks/${name}`);
  const located = {
    path: "/locks/a",
    place: { host: "tank", path: "/locks/a" },
    key: "tank",
    transport: {} as LockTransport,
  };
  const isFree = () => expect([...backup.files, ...other.files]).toEqual([]);

  it("by names that resolve differently, makes the job fail, with nothing lost and nothing left", async () => {
    const { result, events } = await claim(
      { lockFiles: [at("tank"), at("backup"), at("other")] },
      { tank: { host: backup } },
    );
    expect(result).toEqual({
      kind: "failed",
      message:
        "cannot lock tank:/locks/a: it is the same file as backup:/locks/a or other:/locks/a: name it only once in lock_files",
    });
    isFree();
    const places = [
      { host: "backup", path: "/locks/a" },
      { host: "other", path: "/locks/a" },
    ];
    expect(events.of("lock:acquired").map(({ place }) => place)).toEqual(places);
    expect(events.of("lock:withdrawn").map(({ place }) => place)).toEqual(places);
    expect(events.of("lock:lost")).toEqual([]);
  });

  it("names that which has the same last name, for links change only what is before it", async () => {
    const { result } = await claim(
      { lockFiles: [at("tank", "b"), at("backup"), at("backup", "b")] },
      { tank: { host: backup } },
    );
    expect(result).toMatchObject({ message: expect.stringContaining("the same file as backup:/locks/b:") });
  });

  it("also fails with blocks, for which all is one trip", async () => {
    const { result } = await claim(
      { lockFiles: [at("tank"), at("backup")], blocksOn: [blockOn(at("backup", "theirs"))] },
      { tank: { host: backup } },
    );
    expect(result.kind).toBe("failed");
    isFree();
  });

  it("by two ways to what resolves to one name, is one lock", async () => {
    const names = { one: { host: backup, key: "backup" }, two: { host: backup, key: "backup" } };
    const { result, events } = await claim({ lockFiles: [at("one"), at("two"), at("one")] }, names);
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect(result.held.places).toHaveLength(1);
    expect(await result.held.release()).toEqual([]);
    expect(events.names()).toEqual(["lock:acquired", "lock:held", "lock:released"]);
    isFree();
  });

  it("is one lock also when the second claim is not answered, and only a further try tells", async () => {
    let acquires = 0;
    backup.fault = ({ kind }) => (kind === "acquire" && ++acquires === 2 ? "after" : undefined);
    const names = { one: { host: backup, key: "backup" }, two: { host: backup, key: "backup" } };
    const claiming = claim({ lockFiles: [at("one"), at("two")] }, names);
    await clock.advance(60_000);
    const { result, events } = await claiming;
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect(result.held.places).toHaveLength(1);
    expect(await result.held.release()).toEqual([]);
    expect(events.of("lock:lost")).toEqual([]);
    isFree();
  });

  it("is two locks where two accounts at one name see two files", async () => {
    const names = { one: { host: backup, key: "tank" }, two: { host: other, key: "tank" } };
    const { result } = await claim({ lockFiles: [at("one"), at("two")] }, names);
    if (result.kind !== "held") throw new Error(JSON.stringify(result));
    expect([[...backup.files.keys()], [...other.files.keys()]]).toEqual([["/locks/a"], ["/locks/a"]]);
    expect(await result.held.release()).toEqual([]);
    isFree();
  });

  it("is told by the way to it where host and path are spelled alike", () => {
    const target = (key: string) => ({ ...located, key });
    const taken = [{ target: target("tank:22"), token: "t", certain: true }];
    expect(findTwin(target("tank:2222"), { kind: "acquired", already: true }, taken)).toEqual({
      isOneName: false,
      detail: "it is the same file as tank:/locks/a by another port or jump host: name it only once in lock_files",
    });
  });

  it("is not seen in a claim that found nothing of its own, nor where nothing is taken for certain", () => {
    const taken = [{ target: located, token: "t", certain: true }];
    expect(findTwin(located, { kind: "acquired" }, taken)).toBeUndefined();
    const already = { kind: "acquired", already: true } as const;
    expect(findTwin(located, already, [])).toBeUndefined();
    expect(findTwin(located, already, [{ target: located, token: "t", certain: false }])).toBeUndefined();
  });
});

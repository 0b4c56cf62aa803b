import { beforeEach, describe, expect, it } from "vitest";
import type { LockAllowances } from "../../../../src/config/resolved.ts";
import type { DirectoryAbilities, ProbeAnswer } from "../../../../src/lock/transport/lock-transport.ts";
import { createProbedTransport, findDirectoryFlaws, isAllowed } from "../../../../src/lock/transport/probe.ts";
import { claimOf } from "../../../contract/lock-transport.contract.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { MemoryLockHost } from "../../../support/memory-lock-host.ts";
import { createMemoryTransport } from "../../../support/memory-lock-transport.ts";

const { signal } = new AbortController();
const sound: DirectoryAbilities = {
  kind: "probed",
  mode: "full",
  exclusive: true,
  hardLinks: true,
  flock: true,
  fileSystem: "ext2/ext3",
  uid: 0,
  permissions: 0o755,
  accountUid: 1000,
  nowSeconds: 0,
};

describe("a directory for locks", () => {
  it.each<[string, Partial<DirectoryAbilities>, RegExp | undefined]>([
    ["of root", {}, undefined],
    ["of the account itself", { uid: 1000 }, undefined],
    ["on tmpfs, with group write", { fileSystem: "tmpfs", permissions: 0o775 }, undefined],
    [
      "reached over sftp, without hard links",
      { mode: "sftp", flock: null, hardLinks: false, fileSystem: "" },
      undefined,
    ],
    ["where two create the same file", { exclusive: false }, /two may create/],
    ["without flock", { flock: false }, /flock/],
    ["without hard links", { hardLinks: false }, /hard links/],
    ["of a third user", { uid: 1001 }, /belongs to user 1001.*\(1000\)/],
    ["by a link of root", { linkUid: 0 }, undefined],
    ["by a link of the account", { uid: 1000, linkUid: 1000 }, undefined],
    ["by a link of a third user", { linkUid: 1001 }, /symbolic link of user 1001.*\(1000\)/],
    ["by a link to where everybody may write", { linkUid: 0, permissions: 0o777 }, /everybody may write/],
    ["where everybody may write, even sticky", { permissions: 0o1777 }, /everybody may write there \(mode 1777\)/],
    ["on NFS", { fileSystem: "nfs" }, /network file system \(nfs\)/],
    ["on FUSE", { fileSystem: "fuse" }, /network file system/],
    ["on a local disk by FUSE", { fileSystem: "fuseblk" }, undefined],
  ])("%s", (_, found, message) => {
    const flaws = findDirectoryFlaws({ ...sound, ...found }).map((flaw) => flaw.message);
    if (message === undefined) expect(flaws).toEqual([]);
    else expect(flaws).toEqual([expect.stringMatching(message)]);
  });

  it("may be unsafe or on a network only where the operator says so, and never useless", () => {
    const allows: LockAllowances = { unsafeDirectory: true, networkFileSystem: false };
    const odd = { ...sound, permissions: 0o777, fileSystem: "nfs", exclusive: false };
    const left = (given: LockAllowances | undefined) =>
      findDirectoryFlaws(odd).filter((flaw) => !isAllowed(flaw, given));
    expect(left(undefined)).toHaveLength(3);
    expect(left(allows)).toHaveLength(2);
    expect(left({ unsafeDirectory: true, networkFileSystem: true })).toEqual([
      { message: expect.stringContaining("two may create") },
    ]);
  });
});

describe("claims in directories that are tried first", () => {
  let clock: FakeClock;
  let host: MemoryLockHost;
  let answer: ProbeAnswer;
  let probes: string[][];
  let release: (() => void) | undefined;
  beforeEach(() => {
    clock = new FakeClock();
    host = new MemoryLockHost("memory", clock);
    answer = sound;
    probes = [];
    release = undefined;
  });
  const open = (allows?: LockAllowances) => {
    const memory = createMemoryTransport(host, clock);
    const transport = {
      ...memory,
      probe: async (directories: readonly string[]) => {
        probes.push([...directories]);
        if (release !== undefined) await new Promise<void>((resolve) => (release = resolve));
        return directories.map(() => answer);
      },
    };
    return createProbedTransport({ transport, clock, allows: () => allows });
  };
  const claim = claimOf("/locks/a", "my-own-token-0123456789");
  const take = async (transport: ReturnType<typeof open>) =>
    (await transport.acquire({ claims: [claim, { ...claim, path: "/locks/b" }], thenCheck: [] }, signal)).claims;

  it("try each directory once a day", async () => {
    const transport = open();
    expect(await take(transport)).toMatchObject([{ kind: "acquired" }, { kind: "acquired" }]);
    await take(transport);
    expect(probes).toEqual([["/locks"]]);
    await clock.advance(86_400_000);
    await take(transport);
    expect(probes).toHaveLength(2);
  });

  it("are refused in a directory that is no good, with the key that would allow it, and tried again next time", async () => {
    answer = { ...sound, permissions: 0o1777 };
    const transport = open();
    const refused = {
      kind: "error",
      detail: expect.stringMatching(/in \/locks: .*allow_unsafe_directory would allow it/),
    };
    expect(await take(transport)).toEqual([refused, refused]);
    expect(host.files.size).toBe(0);
    answer = sound;
    expect(await take(transport)).toMatchObject([{ kind: "acquired" }, { kind: "acquired" }]);
  });

  it("are made where the operator puts up with the flaw", async () => {
    answer = { ...sound, permissions: 0o1777 };
    expect(await take(open({ unsafeDirectory: true, networkFileSystem: false }))).toMatchObject([
      { kind: "acquired" },
      { kind: "acquired" },
    ]);
  });

  it("are unknown, and certainly not carried out, when nobody answers the trial", async () => {
    answer = { kind: "unknown", detail: "no answer", mayHaveRun: true };
    const unknown = { kind: "unknown", detail: "no answer", mayHaveRun: false };
    expect(await take(open())).toEqual([unknown, unknown]);
    expect(host.files.size).toBe(0);
  });

  it("are not overtaken by what was asked for later", async () => {
    release = () => undefined;
    const transport = open();
    const taken = take(transport);
    const released = transport.release([claim], signal);
    await new Promise((resolve) => setImmediate(resolve));
    release();
    expect(await taken).toMatchObject([{ kind: "acquired" }, { kind: "acquired" }]);
    expect(await released).toEqual([{ kind: "released" }]);
  });
});

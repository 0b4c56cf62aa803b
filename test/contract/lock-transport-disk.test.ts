import { execa } from "execa";
import { mkdir, open, readdir, readFile, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { openHelperWorld, openLocalWorld, openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { mountTmpfs } from "../support/tmpfs.ts";
import { claimOf } from "./lock-transport.contract.ts";

const never = new AbortController().signal;
const token = "my-own-token-0123456789";

let sshd: TestSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const ways = {
  local: () => openLocalWorld(),
  ssh: () => openSshWorld(endpointOf(sshd)),
  "ssh with a helper": () => openHelperWorld(endpointOf(sshd)),
  sftp: () => openSftpWorld(endpointOf(sshd)),
};

describe.each(Object.keys(ways) as (keyof typeof ways)[])("the file system of the locks, reached by %s", (way) => {
  const reach = async (): Promise<LockTransport> => {
    const world = await ways[way]();
    onTestFinished(() => world.close());
    return world.newTransport();
  };
  const take = async (transport: LockTransport, path: string) =>
    (await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never)).claims[0];
  /** What is there besides the guards, the hold files and the names that locks are made under. */
  const locksIn = async (directory: string) =>
    (await readdir(directory)).filter((name) => !/\.(guard|hold)$|\.tmp\.|^filler/.test(name)).toSorted();
  /** A lock that is held, and another one that is wanted after `spoil`. */
  const prepare = async (options: string) => {
    const tmpfs = await mountTmpfs(options);
    if ("why" in tmpfs) return tmpfs;
    const transport = await reach();
    const [held, wanted] = [join(tmpfs.directory, "held.lock"), join(tmpfs.directory, "wanted.lock")];
    expect(await take(transport, held)).toEqual({ kind: "acquired" });
    return { ...tmpfs, transport, held, wanted };
  };

  it.for([
    [
      "is full",
      "size=32k",
      (filler: string) => execa("dd", ["if=/dev/zero", `of=${filler}`, "bs=1k"], { reject: false }),
    ],
    ["has no inode left", "size=1m,nr_inodes=12", (filler: string) => fillInodes(filler)],
  ] as const)("%s: no lock is taken or torn, and held ones live on", async ([, options, spoil], context) => {
    const made = await prepare(options);
    if ("why" in made) return context.skip(made.why);
    const { directory, transport, held, wanted } = made;
    await spoil(join(directory, "filler"));
    expect(await take(transport, wanted)).toMatchObject({ kind: "error" });
    expect(await locksIn(directory)).toEqual(["held.lock"]);
    expect(await transport.beat([{ path: held, token }], never)).toEqual([{ kind: "beaten" }]);
    expect(await transport.promote([claimOf(held, token)], never)).toEqual([{ kind: "promoted" }]);
    expect(await readFile(held, "utf8")).toBe(claimOf(held, token).content);
    expect(await transport.release([{ path: held, token }], never)).toEqual([{ kind: "released" }]);
    for (const name of await readdir(directory)) if (name.startsWith("filler")) await unlink(join(directory, name));
    expect(await take(transport, wanted)).toEqual({ kind: "acquired" });
  });

  it("has become read-only: nothing can be done, nothing is called free or lost, and it goes on later", async (context) => {
    const made = await prepare("size=1m");
    if ("why" in made) return context.skip(`${made.why}`);
    const { transport, held, wanted } = made;
    await made.remount("ro");
    expect(await take(transport, wanted)).toMatchObject({ kind: "error" });
    const own = [{ path: held, token }];
    expect(await transport.beat(own, never)).toMatchObject([{ kind: "error" }]);
    expect(await transport.release(own, never)).toMatchObject([{ kind: "error" }]);
    expect(await transport.check([held], never)).toMatchObject([{ kind: "held", found: { record: { token } } }]);
    await made.remount("rw");
    expect(await transport.beat(own, never)).toEqual([{ kind: "beaten" }]);
    expect(await transport.release(own, never)).toEqual([{ kind: "released" }]);
  });

  it("has lost the directory: nothing is called free or released, and it goes on when it is back", async (context) => {
    const made = await prepare("size=1m");
    if ("why" in made) return context.skip(`${made.why}`);
    const { directory, transport } = made;
    const below = join(directory, "locks");
    await mkdir(below);
    const path = join(below, "a.lock");
    expect(await take(transport, path)).toEqual({ kind: "acquired" });
    await rm(below, { recursive: true });
    const own = [{ path, token }];
    expect(await transport.check([path], never)).toMatchObject([{ kind: "error" }]);
    expect(await transport.beat(own, never)).toMatchObject([{ kind: "error" }]);
    expect(await transport.release(own, never)).toMatchObject([{ kind: "error" }]);
    expect(await take(transport, path)).toMatchObject({ kind: "error" });
    await mkdir(below);
    // Now the host can say so: the lock is gone, and it is not made again by a sign of life.
    expect(await transport.beat(own, never)).toEqual([{ kind: "absent" }]);
    expect(await transport.release(own, never)).toEqual([{ kind: "absent" }]);
    expect(await locksIn(below)).toEqual([]);
  });
});

/** Empty files need no space, only inodes. */
async function fillInodes(filler: string): Promise<void> {
  for (let index = 0; ; index += 1) {
    const file = await open(`${filler}${index}`, "w").catch(() => undefined);
    if (file === undefined) return;
    await file.close();
  }
}

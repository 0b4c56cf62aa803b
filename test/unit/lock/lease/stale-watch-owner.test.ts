import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parseLockRecord, type LockOwner, type LockRecord } from "../../../../src/lock/lock-record.ts";
import { createOwnerProbe } from "../../../../src/lock/lease/stale-watch-owner.ts";
import { lockContent } from "../../../support/lock-fixture.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const self: LockOwner = {
  inst: "mine",
  name: "me",
  host: "nas",
  machine: "0123456789abcdef",
  boot: "this-boot",
  pid: 1,
  start: 5,
  pidns: "pid:[4026531836]",
};
const owner: LockOwner = { ...self, inst: "theirs", name: "other", pid: 4242, start: 99 };

function recordOf(changes: Partial<LockOwner> = {}, record: Partial<LockRecord> = {}): LockRecord {
  const line = lockContent({ owner: { ...owner, ...changes }, run: "their-run", ...record }).split("\n")[1] ?? "";
  const parsed = parseLockRecord(line);
  if (parsed === undefined) throw new Error("not a record");
  return parsed;
}

describe("the owner of a lock on this machine", () => {
  let proc: string;
  const addProcess = async (pid: number, start: number, environment: string) => {
    const fields = Array.from({ length: 30 }, (_, index) => (index === 19 ? start : index));
    await mkdir(join(proc, String(pid)));
    await writeFile(join(proc, String(pid), "stat"), `${pid} (node) ${fields.join(" ")}`);
    await writeFile(join(proc, String(pid), "environ"), environment);
  };
  /** Its environment cannot be read. */
  const hide = async (pid: number) => {
    await rm(join(proc, String(pid), "environ"));
    await mkdir(join(proc, String(pid), "environ"));
  };
  const isDead = (record: LockRecord) => createOwnerProbe(self, proc).isDead(record);

  beforeEach(async () => {
    proc = await makeTempDir();
    await addProcess(1, 5, "A=b\0");
  });

  it("is dead when no process has its id", async () => {
    expect(await isDead(recordOf())).toBe(true);
  });

  it("is dead when a later process has its id", async () => {
    await addProcess(4242, 100, "A=b\0");
    expect(await isDead(recordOf())).toBe(true);
  });

  it("is dead when the machine was booted since", async () => {
    await addProcess(4242, 99, "A=b\0");
    expect(await isDead(recordOf({ boot: "earlier-boot" }))).toBe(true);
  });

  it("is alive when its process is", async () => {
    await addProcess(4242, 99, "A=b\0");
    expect(await isDead(recordOf())).toBe(false);
  });

  it("counts as alive while a child of that run lives", async () => {
    await addProcess(5000, 100, "PATH=/bin\0RSYNCDIRECTOR_RUN=their-run\0");
    expect(await isDead(recordOf())).toBe(false);
    expect(await isDead(recordOf({}, { hold: true }))).toBe(false);
    expect(await isDead(recordOf({}, { run: "their-ru" }))).toBe(true);
  });

  it("counts as alive while there are processes that cannot be looked into, unless its writers hold a lock", async () => {
    await addProcess(6000, 100, "");
    await hide(6000);
    expect(await isDead(recordOf())).toBe(false);
    expect(await isDead(recordOf({}, { hold: true }))).toBe(true);
  });

  it("is dead when what cannot be looked into is older than the owner", async () => {
    await addProcess(2, 98, "");
    await hide(2);
    expect(await isDead(recordOf())).toBe(true);
  });

  it("counts as alive where the processes of other users are hidden, as by hidepid=2", async () => {
    await rm(join(proc, "1"), { recursive: true });
    expect(await isDead(recordOf())).toBe(false);
    expect(await isDead(recordOf({}, { hold: true }))).toBe(false);
  });

  it.each([
    ["another machine", { machine: "ffffffffffffffff" }],
    ["another machine with the same id", { host: "clone" }],
    ["a machine without an id", { machine: "" }],
    ["an unknown boot", { boot: "" }],
    ["another container", { pidns: "pid:[4026539999]" }],
    ["a process of unknown start", { start: 0 }],
  ])("counts as alive on %s", async (_, changes) => {
    expect(await isDead(recordOf(changes))).toBe(false);
  });

  it("counts as alive when nobody knows the pid namespaces", async () => {
    const { pidns: _, ...plain } = self;
    const { pidns: __, ...theirs } = owner;
    const line = lockContent({ owner: theirs }).split("\n")[1] ?? "";
    expect(await createOwnerProbe(plain, proc).isDead(parseLockRecord(line) as LockRecord)).toBe(false);
  });

  it("counts as alive when its version did not write its pid namespace", async () => {
    const { pidns: _, ...without } = owner;
    const line = lockContent({ owner: without }).split("\n")[1] ?? "";
    expect(await isDead(parseLockRecord(line) as LockRecord)).toBe(false);
  });
});

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type IntentBook, openIntents } from "../../../../src/lock/recovery/intents.ts";
import { type Intent, parseIntents } from "../../../../src/lock/recovery/intents-file.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { remoteLock } from "../../../support/lock-fixture.ts";
import { createMemoryLog } from "../../../support/memory-log.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const soon = { timeout: 30_000 };
const of = { runId: "run", jobId: "job" };
const locks = [remoteLock("backup", "/locks/a"), { type: "local", path: "/locks/b" } as const];

describe("the intents file", () => {
  let file: string;
  let clock: FakeClock;
  let log: ReturnType<typeof createMemoryLog>;

  beforeEach(async () => {
    file = join(await makeTempDir(), "state", "intents-test.json");
    clock = new FakeClock();
    log = createMemoryLog();
  });

  const open = () => openIntents(file, { boot: "boot", clock, log });
  const onDisk = async () => parseIntents(await readFile(file, "utf8")) as readonly Intent[];
  const claimed = async (book: IntentBook, token = "token-1") => {
    book.begin({ ...of, locks, holds: [] });
    await book.claiming({ ...of, token });
  };

  it("has the token, the locks and the way to them on the disk before anything is claimed", async () => {
    await claimed(await open());
    expect(await onDisk()).toMatchObject([
      {
        ...of,
        boot: "boot",
        tokens: ["token-1"],
        locks: [{ path: "/locks/a", endpoint: { host: "backup" } }, { path: "/locks/b" }],
      },
    ]);
    const next = await open();
    expect(next).toMatchObject({ lost: false, earlier: [{ tokens: ["token-1"] }] });
    expect(next.earlier[0]?.locks).toEqual(JSON.parse(JSON.stringify(locks)));
  });

  it("reads what the version before wrote, which knew one place for hold locks or none", async () => {
    const old = { ...of, boot: "boot", locks, tokens: ["token-1"], groups: [] };
    const site = { at: locks[0], paths: ["/locks/a.hold"], fence: "/locks/a.hold" };
    const intents = [
      { ...old, holds: site },
      { ...old, holds: null },
    ];
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ v: 1, intents }));
    const book = await open();
    expect(book.lost).toBe(false);
    expect(book.earlier.map(({ holds }) => holds)).toEqual(JSON.parse(JSON.stringify([[site], []])));
  });

  it("has a job on the disk that claims nothing, at once without locks and soon with them", async () => {
    const book = await open();
    book.begin({ runId: "run", jobId: "lockless", locks: [], holds: [] });
    await vi.waitFor(async () => expect(await onDisk()).toMatchObject([{ jobId: "lockless", tokens: [] }]), soon);
    book.begin({ ...of, locks, holds: [] });
    await clock.advance(1000);
    await vi.waitFor(async () => expect(await onDisk()).toMatchObject([{}, { ...of, tokens: [] }]), soon);
    await book.close();
  });

  it("forgets a job that ended in good order, soon or at the end of the director", async () => {
    const book = await open();
    await claimed(book);
    book.left("token-1", []);
    book.end(of);
    await clock.advance(1000);
    await book.close();
    expect(await onDisk()).toEqual([]);
    expect((await open()).lost).toBe(false);
  });

  it("keeps a token as long as one of its locks may be there, also after the job", async () => {
    const book = await open();
    await claimed(book);
    book.left("token-1", ["key a", "key b"]);
    book.end(of);
    book.gone("token-1", "key a");
    await book.close();
    expect(await onDisk()).toMatchObject([{ tokens: ["token-1"] }]);
    book.gone("token-1", "key b");
    await book.close();
    expect(await onDisk()).toEqual([]);
  });

  it("keeps one token per attempt that is not settled", async () => {
    const book = await open();
    await claimed(book, "first");
    book.left("first", ["key a"]);
    await book.claiming({ ...of, token: "second" });
    expect(await onDisk()).toMatchObject([{ tokens: ["first", "second"] }]);
  });

  it("remembers on the disk that the one removal without a condition was sent, over lives", async () => {
    const book = await open();
    await claimed(book);
    expect(await book.unlinking("token-1", "host\n/locks/a")).toBe(true);
    expect(await onDisk()).toMatchObject([{ unlinked: ["token-1 host\n/locks/a"] }]);
    const next = await open();
    expect(await next.unlinking("token-1", "host\n/locks/a")).toBe(false);
    expect(await next.unlinking("token-1", "host\n/locks/b")).toBe(true);
    next.unlinkAnswered("token-1", "host\n/locks/a");
    expect(await next.unlinking("token-1", "host\n/locks/a")).toBe(true);
  });

  it("allows no removal over sftp that it cannot write down first", async () => {
    const book = await open();
    await claimed(book);
    await rm(dirname(file), { recursive: true });
    await writeFile(dirname(file), "");
    expect(await book.unlinking("token-1", "host\n/locks/a")).toBe(false);
    await rm(dirname(file));
    expect(await book.unlinking("token-1", "host\n/locks/a")).toBe(true);
  });

  it("has the process groups of children, and none once the job is over", async () => {
    const book = await open();
    await claimed(book);
    book.spawned(of, { id: 42, start: 7 });
    await book.close();
    expect(await onDisk()).toMatchObject([{ groups: [{ id: 42, start: 7 }] }]);
    book.left("token-1", ["key a"]);
    book.end(of);
    await book.close();
    expect(await onDisk()).toMatchObject([{ groups: [], tokens: ["token-1"] }]);
  });

  it("carries an earlier life's intents on until they are settled", async () => {
    await claimed(await open());
    const second = await open();
    await claimed(second, "token-2");
    expect((await onDisk()).map(({ tokens }) => tokens)).toEqual([["token-1"], ["token-2"]]);
    second.settled(second.earlier[0] as Intent);
    await second.close();
    expect((await onDisk()).map(({ tokens }) => tokens)).toEqual([["token-2"]]);
  });

  it.each(["", "{", "[]", '{"v":2,"intents":[]}', '{"v":1,"intents":[{"runId":"x"}]}'])(
    "moves a damaged file aside and says so: %s",
    async (damaged) => {
      await mkdir(join(file, ".."));
      await writeFile(file, damaged);
      expect(await open()).toMatchObject({ lost: true, earlier: [] });
      const aside = (await readdir(join(file, ".."))).filter((name) => name.includes(".broken-"));
      expect(aside).toHaveLength(1);
      expect(log.messages("error")).toEqual([expect.stringContaining("moved aside")]);
    },
  );

  it("is lost, without a word, when there is none", async () => {
    expect(await open()).toMatchObject({ lost: true, earlier: [] });
    expect(log.lines).toEqual([]);
  });

  it("removes what a life left that was killed while writing", async () => {
    await claimed(await open());
    await writeFile(`${file}.0123456789ab.tmp`, "half");
    await open();
    expect(await readdir(join(file, ".."))).toEqual(["intents-test.json"]);
  });

  it("that cannot be written is an error once, and stops nobody", async () => {
    await writeFile(join(file, "..", "..", "state"), "a file in the place of the directory");
    const book = await open();
    await claimed(book);
    await book.claiming({ ...of, token: "second" });
    expect(log.messages("error").filter((message) => message.includes("cannot be written"))).toHaveLength(1);
    await rm(join(file, "..", "..", "state"));
    await book.claiming({ ...of, token: "third" });
    expect((await onDisk())[0]?.tokens).toEqual(["token-1", "second", "third"]);
  });
});

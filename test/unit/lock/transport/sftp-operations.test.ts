import { beforeEach, describe, expect, it } from "vitest";
import { NoAnswer, type SftpFiles } from "../../../../src/lock/transport/sftp-files.ts";
import { releaseOverSftp, type SftpScope } from "../../../../src/lock/transport/sftp-operations.ts";
import { lockContent } from "../../../support/lock-fixture.ts";
import { createMemoryJournal } from "../../../support/memory-journal.ts";

const path = "/locks/a";
const token = "my-own-token-0123456789";

describe("giving a lock back over sftp", () => {
  let unlinked: string[];
  let content: string | undefined;
  /** What becomes of the removal of the lock. */
  let fate: "lost" | "failed" | "done";
  /** What is beside it. */
  let beside: string[];
  let scope: SftpScope;

  beforeEach(() => {
    unlinked = [];
    content = lockContent({ token });
    fate = "done";
    beside = [];
    const files = {
      attributes: (file: string) =>
        Promise.resolve(beside.includes(file) ? { kind: "ok" } : { kind: "failed", code: 2, message: "No such file" }),
      look: () => Promise.resolve(content === undefined ? { kind: "absent" } : { kind: "file", content, mtime: 1 }),
      unlink: (file: string) => {
        if (file !== path) return Promise.resolve({ kind: "ok" });
        unlinked.push(file);
        if (fate === "lost") return Promise.reject(new NoAnswer("cut"));
        if (fate === "done") content = undefined;
        return Promise.resolve(fate === "done" ? { kind: "ok" } : { kind: "failed", code: 4, message: "Failure" });
      },
      explainWriteFailure: () => Promise.resolve("Failure"),
    };
    const nothing = () => undefined;
    const known = { aboutToChange: nothing, sawServerTime: nothing, serverNow: () => Promise.resolve(1) };
    scope = { ...known, files: files as unknown as SftpFiles };
  });

  const journal = createMemoryJournal();
  const release = (key: string, options: { withoutWriters?: boolean } = {}) => {
    const mayUnlink = () => journal.unlinking(token, key);
    const unlinkAnswered = () => journal.unlinkAnswered(token, key);
    return releaseOverSftp({ path, token, mayUnlink, unlinkAnswered, ...options }, scope);
  };

  it("removes it at most once per token: a removal without an answer may still run", async () => {
    fate = "lost";
    await expect(release("lost")).rejects.toThrow(NoAnswer);
    fate = "done";
    expect(await release("lost")).toMatchObject({ kind: "error", detail: expect.stringContaining("somebody has to") });
    expect(unlinked).toHaveLength(1);
    // It has run meanwhile.
    content = undefined;
    expect(await release("lost")).toEqual({ kind: "absent" });
  });

  it("tries again when the server has said that it did not remove it", async () => {
    fate = "failed";
    expect(await release("failed")).toMatchObject({ kind: "error" });
    fate = "done";
    expect(await release("failed")).toEqual({ kind: "released" });
    expect(unlinked).toHaveLength(2);
  });

  describe("that says its writers hold a kernel lock", () => {
    const [hold, ownName] = [`${path}.hold`, `${path}.tmp.${token}`];

    it.each([
      ["has a lease", { ttl: 300 }, [hold]],
      ["has its second name", {}, [hold, ownName]],
    ])("leaves it where a shell took it: it %s", async (_how, overrides, files) => {
      content = lockContent({ token, hold: true, ...overrides });
      beside = files;
      expect(await release("shell")).toMatchObject({
        kind: "error",
        detail: expect.stringContaining(`${hold} locked: give the account its shell back`),
      });
      expect(unlinked).toEqual([]);
      // It was not sent, and so is not written down as if it were.
      expect(await release("shell", { withoutWriters: true })).toEqual({ kind: "released" });
    });

    it.each([
      ["it is only claimed", { state: "claim", ttl: 300 }, [hold]],
      ["they are on another host", { ttl: 300 }, [ownName]],
      ["it was taken over sftp", {}, [hold]],
    ] as const)("removes it where %s", async (_where, overrides, files) => {
      content = lockContent({ token, hold: true, ...overrides });
      beside = [...files];
      expect(await release("known")).toEqual({ kind: "released" });
    });
  });
});

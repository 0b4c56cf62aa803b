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
  let scope: SftpScope;

  beforeEach(() => {
    unlinked = [];
    content = lockContent({ token });
    fate = "done";
    const files = {
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
  const release = (key: string) => {
    const mayUnlink = () => journal.unlinking(token, key);
    return releaseOverSftp({ path, token, mayUnlink, unlinkAnswered: () => journal.unlinkAnswered(token, key) }, scope);
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
});

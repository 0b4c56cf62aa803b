import { describe, expect, it } from "vitest";
import { parseLockRecord } from "../../../src/lock/lock-record.ts";
import { describeSight } from "../../../src/lock/look.ts";
import { lockContent } from "../../support/lock-fixture.ts";

describe("what is told of a lock that is in the way", () => {
  it.each(["a\nrun: ok", "\u001b]0;x\u0007", "\u202edrow"])(
    "is one line, and no command to a terminal (%j)",
    (text) => {
      const content = lockContent({ job: text, created: text });
      const record = parseLockRecord(content.split("\n")[1] ?? "") ?? null;
      for (const found of [
        { record, owner: "1" },
        { record: null, owner: text },
      ]) {
        const words = describeSight({ state: "held", found: { ...found, ageSeconds: 1, mtime: 1 } });
        expect(words).toMatch(/^held by /);
        expect(words).not.toMatch(/[\p{Cc}\u202e]/u);
      }
    },
  );
});

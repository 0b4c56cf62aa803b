import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { fingerprint } from "../../../src/web/private-file.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

it("tells apart a file that is there, one that is not, and one that cannot be reached, and never throws", async () => {
  const file = join(await makeTempDir(), "file");
  const below = join(file, "below");
  expect(fingerprint([file, below])).toBe("none|none");
  await writeFile(file, "x");
  expect(fingerprint([below])).toBe("ENOTDIR");
  expect(fingerprint([file])).not.toBe("none");
});

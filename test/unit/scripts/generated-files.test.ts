import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findOutdated, writeOutdated } from "../../../scripts/generated-files.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const files = new Map([
  ["docs/page.md", "text\n"],
  ["docs/pictures/chart-a.svg", "<svg/>\n"],
]);

it("writes what is missing or different, and says so once", async () => {
  const root = await makeTempDir();
  expect(await findOutdated(root, files)).toEqual(["docs/page.md", "docs/pictures/chart-a.svg"]);
  expect(await writeOutdated(root, files)).toEqual(["docs/page.md", "docs/pictures/chart-a.svg"]);
  expect(readFileSync(join(root, "docs/page.md"), "utf8")).toBe("text\n");
  writeFileSync(join(root, "docs/page.md"), "by hand\n");
  expect(await writeOutdated(root, files)).toEqual(["docs/page.md"]);
  expect(await findOutdated(root, files)).toEqual([]);
});

it("removes charts that nothing makes any more, and leaves other pictures alone", async () => {
  const root = await makeTempDir();
  await writeOutdated(root, files);
  const [left, byHand] = [join(root, "docs/pictures/chart-b.svg"), join(root, "docs/pictures/flames.svg")];
  for (const path of [left, byHand]) writeFileSync(path, "<svg/>\n");
  mkdirSync(join(root, "docs/pictures/chart-directory"));
  expect(await findOutdated(root, files)).toEqual(["docs/pictures/chart-b.svg"]);
  await writeOutdated(root, files);
  expect([existsSync(left), existsSync(byHand)]).toEqual([false, true]);
});

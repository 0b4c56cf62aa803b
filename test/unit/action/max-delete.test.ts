import { expect, it } from "vitest";
import { withMaxDelete } from "../../../src/action/sync-command.ts";

const spec = { sources: ["/a/"], dest: "/b", options: {}, dryRun: false };

it.each([
  ["none", ["-a"], 7],
  ["a higher one", ["-a", "--max-delete=100"], 7],
  ["a lower one", ["-a", "--max-delete", "5"], 5],
  ["the last of several", ["--max-delete=3", "--max-delete=6"], 6],
  ["one that is no number", ["--max-delete=all"], 7],
])("rsync keeps to our limit, or to a lower one of the user's: %s", (_, opts, most) => {
  const { own } = withMaxDelete({ ...spec, opts, own: ["--max-delete=9", "--other"] }, 7);
  expect(own).toEqual(["--other", `--max-delete=${most}`]);
});

import { expect, it } from "vitest";
import { makeInstance } from "../support/instance.ts";

it("runs of the command line leave as many runs in the history as are to be kept", async () => {
  const instance = await makeInstance({
    history: { keep_runs: 2 },
    jobs: [{ id: "job", type: "local", actions: [{ action: "command", id: "nothing", command: "/bin/true" }] }],
  });
  for (let count = 0; count < 4; count += 1) {
    expect(await instance.cli("run", "job")).toMatchObject({ exitCode: 0, stderr: "" });
  }
  const { stdout } = await instance.cli("history", "--json");
  expect(JSON.parse(stdout)).toHaveLength(2);
});

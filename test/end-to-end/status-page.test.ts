import { expect, it } from "vitest";
import { makeInstance } from "../support/instance.ts";
import { freePort } from "../support/sshd.ts";

it("is served by the built program, with all that it shows and loads", async () => {
  const port = await freePort();
  const actions = [{ action: "command", id: "x", command: "true" }];
  const instance = await makeInstance({ web: { port }, jobs: [{ id: "nightly", type: "local", actions }] });
  const director = await instance.start();
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  const page = await get("/");
  expect(page.status).toBe(200);
  expect(page.text).toContain("nightly");
  const assets = [...page.text.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css|svg)[^"]*)"/g)].map(
    ([, path]) => path ?? "",
  );
  expect(assets.length).toBeGreaterThanOrEqual(2);
  for (const path of assets) expect(await get(path)).toMatchObject({ status: 200 });
  for (const path of ["/jobs/nightly", "/runs", "/locks"]) expect(await get(path)).toMatchObject({ status: 200 });
  director.signal("SIGTERM");
  expect(await director.exited).toBe(0);
});

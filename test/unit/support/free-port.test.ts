import { expect, it } from "vitest";
import { freePort } from "../../support/sshd.ts";

it("gives nobody a port that somebody else was given and does not use yet", async () => {
  const ports: number[] = [];
  for (let count = 0; count < 400; count += 1) ports.push(await freePort());
  expect(new Set(ports).size).toBe(ports.length);
});

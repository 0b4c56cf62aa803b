import { hash } from "bcryptjs";
import { expect, it } from "vitest";
import { createLoginCheck } from "../../../src/web/check-login.ts";

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

it("looks at a few passwords at a time only, and at one that was right before all the same", async () => {
  const web = { tls: undefined, users: new Map([["anna", await hash("secret", 4)]]) };
  const check = createLoginCheck();
  const wanted = { token: undefined, web };
  expect(await check(basic("anna", "secret"), wanted)).toEqual({ kind: "in", by: "anna" });
  const many = Array.from({ length: 40 }, (_, index) => check(basic("anna", `wrong${index}`), wanted));
  expect(await check(basic("anna", "secret"), wanted)).toEqual({ kind: "in", by: "anna" });
  const kinds = (await Promise.all(many)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "wrong")).toHaveLength(16);
  expect(kinds.filter((kind) => kind === "busy")).toHaveLength(24);
  expect(await check(basic("anna", "wrong"), wanted)).toEqual({ kind: "wrong" });
});

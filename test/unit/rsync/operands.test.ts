import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { choosePassage, localOperand, remoteOperand } from "../../../src/rsync/operands.ts";

const at = { host: "h", user: undefined };

describe("a local path", () => {
  it.each(["/a/b", "./a:b", "/12:30", "$(x)", "a b", "-", "/new\nline", "/'\""])("is passed on: %j", (path) => {
    expect(localOperand(path).endsWith(path)).toBe(true);
  });

  it("never looks like an option", () => {
    expect(localOperand("--rsh=x")).toBe("./--rsh=x");
  });

  it.each([
    ["host:path", /colon/],
    [":path", /colon/],
    ["host::module", /daemon/],
    ["rsync://host/module", /daemon/],
    ["RSYNC://host/module", /daemon/],
    ["", /empty/],
    ["/a\0b", /zero byte/],
  ])("is refused when rsync would take it for something else: %j", (path, why) => {
    expect(() => localOperand(path)).toThrow(OperatorError);
    expect(() => localOperand(path)).toThrow(why);
  });
});

describe("a remote path", () => {
  it.each([
    ["/srv/data", "dest", "plain", "h:/srv/data"],
    ["~/data", "dest", "plain", "h:~/data"],
    ["~", "dest", "plain", "h:."],
    ["~/my data", "dest", "secluded", "h:my data"],
    ["-x", "dest", "plain", "h:./-x"],
    [":x", "source", "plain", "h:./:x"],
    ["/$(x)", "source", "secluded", "h:/$(x)"],
    ["/a[b]", "source", "secluded", "h:/a\\[b\\]"],
    ["/a\\b*", "source", "secluded", "h:/a\\\\b\\*"],
    ["/a\\b", "source", "secluded", "h:/a\\b"],
    ["/a[b] c", "dest", "quoted", "h:/a\\[b\\] c"],
    ["/new\nline", "dest", "secluded", "h:/new\nline"],
  ] as const)("%j as %s goes %s", (path, side, passage, operand) => {
    expect(choosePassage([path], side, false)).toBe(passage);
    expect(remoteOperand(path, side, passage, at)).toBe(operand);
  });

  it("is refused where rsync cannot carry it", () => {
    expect(() => choosePassage(["/a*\n"], "dest", false)).toThrow(OperatorError);
    expect(() => choosePassage(["/a*"], "dest", true)).toThrow(OperatorError);
    expect(() => remoteOperand("~other/a b", "dest", "secluded", at)).toThrow(/full path/);
    expect(() => remoteOperand("", "dest", "plain", at)).toThrow(/empty/);
  });

  it.each([
    [{ host: "::1", user: "u" }, "u@[::1]:/p"],
    [{ host: "[fe80::1%eth0]", user: undefined }, "[fe80::1%eth0]:/p"],
    [{ host: "h", user: "u@corp.example" }, "u@corp.example@h:/p"],
  ])("names the host so that rsync understands it: %j", (host, operand) => {
    expect(remoteOperand("/p", "dest", "plain", host)).toBe(operand);
  });

  it.each([
    { host: "-oProxyCommand=x", user: undefined },
    { host: "a b", user: undefined },
    { host: "a/b", user: undefined },
    { host: "", user: undefined },
    { host: "h", user: "-x" },
    { host: "h", user: "a:b" },
    { host: "h", user: "a\nb" },
    { host: "h", user: "" },
  ])("is refused on a host or for a user that could be taken for something else: %j", (host) => {
    expect(() => remoteOperand("/p", "dest", "plain", host)).toThrow(OperatorError);
  });

  it("goes plain exactly when no shell gives any of its characters a meaning", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (path) => {
        const isPlain = /^[A-Za-z0-9_@%+=:,./~^\u0080-\uffff-]*$/.test(path);
        expect(choosePassage([path], "source", false)).toBe(isPlain ? "plain" : "secluded");
      }),
    );
  });
});

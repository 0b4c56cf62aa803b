import { spawnSync } from "node:child_process";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLockScript } from "../../../../src/lock/transport/lock-script.ts";
import { createScriptTransport, type ScriptResult } from "../../../../src/lock/transport/script-transport.ts";
import { frameOperation } from "../../../../src/ssh/shell-protocol.ts";
import { lockContent } from "../../../support/lock-fixture.ts";
import { makeTempDir } from "../../../support/temp-dir.ts";

const { signal } = new AbortController();
const claim = { path: "/locks/a", token: "my-own-token-0123456789", content: lockContent() };

function answering(...lines: string[]) {
  const commands: string[] = [];
  const run = (command: string): Promise<ScriptResult> => {
    commands.push(command);
    return Promise.resolve({ kind: "answered", lines });
  };
  return { transport: createScriptTransport({ host: "backup", run }), commands };
}

describe("reading what the lock functions answer", () => {
  it.each([
    ["no line at all", []],
    ["a word that nobody knows", ["0 PERHAPS"]],
    ["an answer to another question", ["0 RELEASED", "7 ABSENT"]],
    ["a line without a number", ["ABSENT"]],
  ])("never takes %s for absence", async (_, lines) => {
    const { transport } = answering(...lines);
    expect(await transport.check([claim.path], signal)).toMatchObject([{ kind: "unknown" }]);
  });

  it("does not take a claim for acquired when its answer is missing", async () => {
    const { transport } = answering("1 ACQUIRED");
    const { claims, checks } = await transport.acquire({ claims: [claim, claim], thenCheck: ["/locks/b"] }, signal);
    expect(claims).toMatchObject([{ kind: "unknown", mayHaveRun: true }, { kind: "not-tried" }]);
    expect(checks).toEqual([]);
  });

  it("calls a lock whose age is not told no claim of just now", async () => {
    const { transport } = answering("0 HELD", "0 FIRST 12");
    const [seen] = await transport.check([claim.path], signal);
    expect(seen).toMatchObject({ kind: "held", found: { owner: "12", record: null, ageSeconds: Number.NaN } });
  });

  it.each([
    ["ERR no-directory", "directory does not exist"],
    ["ERR symlink", "symbolic link"],
    ["ERR no-flock", "flock"],
    [
      "ERR guard cannot create: Permission denied",
      "guard file (.guard) cannot be used: cannot create: Permission denied",
    ],
    ["ERR write", "cut short"],
    ["ERR news of tomorrow", "news of tomorrow"],
  ])("explains %j", async (line, words) => {
    const { transport } = answering(`0 ${line}`);
    const [answer] = await transport.check([claim.path], signal);
    expect(answer).toMatchObject({ kind: "error", detail: expect.stringContaining(words) });
  });

  it("takes a file that came and went during the look for unknown", async () => {
    const { transport } = answering("0 ERR unproven after 3 looks");
    expect(await transport.check([claim.path], signal)).toMatchObject([{ kind: "unknown" }]);
  });

  it("refuses paths that no lock can have, and asks about the others", async () => {
    const { transport, commands } = answering("0 ABSENT", "1 ABSENT");
    const paths = ["relative", "/ok", "/nul\0", `/${"x".repeat(250)}`, "/dir/", "/ok too"];
    const answers = await transport.check(paths, signal);
    expect(answers.map(({ kind }) => kind)).toEqual(["error", "absent", "error", "error", "error", "absent"]);
    expect(commands).toEqual(["rd_check '0' '/ok' '/ok too'"]);
  });

  it("sends nothing when a claim could not be written anyway", async () => {
    const { transport, commands } = answering();
    const request = { claims: [claim, { ...claim, content: "x".repeat(5000) }], thenCheck: [] };
    expect((await transport.acquire(request, signal)).claims.map(({ kind }) => kind)).toEqual(["error", "error"]);
    expect(commands).toEqual([]);
  });
});

describe("the lock functions", () => {
  it.each(["rd_break 0 {path} '' 0 -", "rd_break 0 {path} '' 0 ''", "rd_breakforeign 0 {path} '' 0"])(
    "refuse by themselves to break a lock without a token: %s",
    async (call) => {
      const path = join(await makeTempDir(), "foreign.lock");
      await writeFile(path, '1234\n{"token":""}\n');
      await utimes(path, 0, 0);
      const input = `${await readLockScript()}${frameOperation("n", call.replace("{path}", `'${path}'`))}`;
      const { stdout } = spawnSync("/bin/sh", ["-s"], { input, encoding: "utf8" });
      expect(stdout).toBe("RD1 n 0 ERR token \nRD1 n END\n");
      expect(await readdir(dirname(path))).toEqual(["foreign.lock"]);
    },
  );

  it("are POSIX shell without a finding of shellcheck", async (context) => {
    const found = spawnSync("shellcheck", ["--shell=sh", "-"], { input: await readLockScript(), encoding: "utf8" });
    if (found.error !== undefined) return context.skip("shellcheck is not installed here");
    expect(found.stdout).toBe("");
    expect(found.status).toBe(0);
  });
});

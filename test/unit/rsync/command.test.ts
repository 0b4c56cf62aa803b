import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/base/errors.ts";
import { mostHolds } from "../../../src/model/hold.ts";
import { buildRsyncCommand, joinRemoteShell } from "../../../src/rsync/command.ts";
import type { RsyncCommandSpec } from "../../../src/rsync/command.ts";

const ours = ["--stats", "--no-human-readable", "--outbuf=L", "--"];

function build(overrides: Partial<RsyncCommandSpec> = {}): string[] {
  return buildRsyncCommand({ sources: ["/src/"], dest: "/dst", options: {}, opts: [], dryRun: false, ...overrides });
}

const remote = { host: "backup", user: "me", shell: ["ssh", "-p", "22"], side: "dest" } as const;

describe("an rsync command", () => {
  it("adds what the program itself needs, after everything else", () => {
    expect(build()).toEqual(["rsync", "--timeout=300", "--info=progress2", ...ours, "/src/", "/dst"]);
  });

  it("puts structured options before the user's words, so that the user's win", () => {
    const words = build({
      options: {
        archive: true,
        delete: "delay",
        bwlimit: "1.5M",
        wholeFile: false,
        exclude: ["*.tmp", "-x"],
        include: ["a"],
      },
      opts: ["-v", "--bwlimit=9"],
    });
    expect(words.slice(1, -8)).toEqual([
      "--archive",
      "--no-whole-file",
      "--delete-delay",
      "--bwlimit=1.5M",
      "--include=a",
      "--exclude=*.tmp",
      "--exclude=-x",
      "-v",
      "--bwlimit=9",
    ]);
  });

  it.each([
    ["--timeout=10", { opts: ["--timeout=10"] }],
    ["--timeout 10 in two words", { opts: ["--timeout", "10"] }],
    ["--no-timeout", { opts: ["--no-timeout"] }],
    ["the structured option", { options: { timeoutSeconds: 7 } }],
  ])("leaves the time limit to the user who gives %s", (_what, overrides) => {
    expect(build(overrides)).not.toContain("--timeout=300");
  });

  it.each([
    ["-q", { opts: ["-q"] }],
    ["-aq", { opts: ["-aq"] }],
    ["--quiet", { opts: ["--quiet"] }],
    ["progress: false", { options: { progress: false } }],
  ])("asks for no progress with %s", (_what, overrides) => {
    expect(build(overrides)).not.toContain("--info=progress2");
  });

  it("only pretends in a dry run, and says what would change", () => {
    expect(build({ dryRun: true })).toEqual(expect.arrayContaining(["--dry-run", "--itemize-changes"]));
    expect(build()).not.toContain("--dry-run");
  });

  it("pushes to, and pulls several sources from, another host", () => {
    const push = build({ sources: ["/a", "/b"], remote });
    expect(push.slice(0, 3)).toEqual(["rsync", "-e", "ssh -p 22"]);
    expect(push.slice(-4)).toEqual(["--", "/a", "/b", "me@backup:/dst"]);
    const pull = build({ sources: ["/a", "b c"], remote: { ...remote, side: "source", user: undefined } });
    expect(pull.slice(-3)).toEqual(["backup:/a", "backup:b c", "/dst"]);
  });

  it.each([
    ["an operand", ["-a", "/etc"], '"/etc"'],
    ["the end of options", ["-a", "--"], '"--"'],
  ])("refuses %s among the options", (_what, opts, word) => {
    expect(() => build({ opts })).toThrow(OperatorError);
    expect(() => build({ opts })).toThrow(word);
  });

  it("takes the value of an option for no operand", () => {
    expect(build({ opts: ["--exclude", ".cache", "-f", "- /secret", "-avf", "+ x"] })).toContain(".cache");
  });

  it("secludes the arguments when an option's value could not be quoted", () => {
    expect(build({ remote, options: { backupDir: "/b`id`" } })).toContain("-s");
    expect(build({ remote, options: { backupDir: "/b id" } })).not.toContain("-s");
  });

  it("passes every accepted operand as one argument after --", () => {
    const path = fc
      .string({ unit: "binary-ascii", minLength: 1, maxLength: 20 })
      .map((text) => `/${text.replaceAll("\0", "")}`);
    fc.assert(
      fc.property(fc.array(path, { minLength: 1, maxLength: 4 }), path, fc.boolean(), (sources, dest, isRemote) => {
        const pull = { ...remote, side: "source" as const };
        const words = build({ sources, dest, remote: isRemote ? pull : undefined });
        const operands = words.slice(words.indexOf("--") + 1);
        expect(operands).toHaveLength(sources.length + 1);
        expect(operands.at(-1)).toBe(dest);
        if (isRemote) expect(operands.slice(0, -1).every((operand) => operand.startsWith("me@backup:/"))).toBe(true);
        else expect(operands.slice(0, -1)).toEqual(sources);
      }),
    );
  });
});

describe("rsync's remote shell string", () => {
  it("leaves plain words alone and quotes by rsync's own rule", () => {
    expect(joinRemoteShell(["ssh", "-o", "A=b", "-i", "/my key", "it's", "", "a\\b"])).toBe(
      "ssh -o A=b -i '/my key' 'it''s' '' a\\b",
    );
  });
});

describe("an rsync command behind hold locks", () => {
  const holds = [{ hold: "/run/l/a.hold", lock: "/run/l/a", token: "T0123456789abcdefghijk" }];

  it("takes them on the other host when it writes there", () => {
    const words = build({ remote, holds });
    expect(words[0]).toBe("rsync");
    const [path] = words.filter((word) => word.startsWith("--rsync-path="));
    expect(path).toMatch(/^--rsync-path=sh -c '[^'!\n]*' rd$/);
    expect(path).toContain('t 9 "/run/l/a.hold" -x; l "/run/l/a" "T0123456789abcdefghijk"; exec rsync "$@"');
  });

  it.each([
    ["in opts", { opts: ["--rsync-path", "/opt/rsync", "-v"] }],
    ["by name", { options: { rsyncPath: "/opt/rsync" } }],
    ["in both, of which the words win", { opts: ["--rsync-path=/opt/rsync"], options: { rsyncPath: "/no" } }],
  ])("starts the operator's own rsync behind them: %s", (_, given) => {
    const paths = build({ remote, holds, ...given }).filter((word) => word.startsWith("--rsync-path"));
    expect(paths.at(-1)).toContain('exec /opt/rsync "$@"');
  });

  it("keeps a shell around what is more than a program, because sudo closes what it inherits", () => {
    const path = build({ remote, holds, opts: ["--rsync-path=sudo rsync"] }).find((word) => word.includes("RDHOLD"));
    expect(path).toContain("trap : HUP INT TERM PIPE");
    expect(path).not.toContain("exec sudo");
  });

  it.each(["pull", "local"])("takes them here when it writes here: %s", (kind) => {
    const words = build({ holds, ...(kind === "pull" ? { remote: { ...remote, side: "source" } } : {}) });
    expect(words.slice(0, 2)).toEqual(["/bin/sh", "-c"]);
    expect(words[2]).toMatch(/; exec "\$@"$/);
    expect(words.slice(3, 5)).toEqual(["rd", "rsync"]);
    expect(words.join(" ")).not.toContain("--rsync-path");
  });

  it("uses a descriptor of its own for each", () => {
    const many = Array.from({ length: mostHolds }, (_, number) => ({
      hold: `/${number}`,
      lock: undefined,
      token: "T",
    }));
    const script = build({ holds: many })[2] ?? "";
    expect([...script.matchAll(/; t (\d) /g)].map((match) => match[1])).toEqual(["9", "8", "7", "6", "5", "4", "3"]);
  });

  it.each(["it's", "ba!ng", "new`tick", 'quo"te', "back\\slash", "dol$lar", "ünï", "per%cent s"])(
    "never shows a shell the name %s",
    (name) => {
      const hold = { hold: `/l/${name}.hold`, lock: `/l/${name}`, token: "T" };
      const path = build({ remote, holds: [hold] }).find((word) => word.startsWith("--rsync-path=")) ?? "";
      expect(path).toMatch(/^--rsync-path=sh -c '[^'!\n]*' rd$/);
      expect(path).not.toContain(name);
      const octal = /"\$\(printf %b "([^"]*)"\)"/.exec(path)?.[1] ?? "";
      const bytes = octal
        .split("\\0")
        .slice(1)
        .map((digits) => Number.parseInt(digits, 8));
      expect(Buffer.from(bytes).toString("utf8")).toBe(hold.hold);
    },
  );
});

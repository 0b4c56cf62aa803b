import { describe, expect, it } from "vitest";
import { buildListCommand, namesContents, parseListedEntry } from "../../../src/rsync/list-source.ts";

const remote = { host: "nas", user: "me", side: "source", shell: ["ssh", "-p", "22"] } as const;

function build(source: string, opts: string[] = []) {
  const options = { archive: true, delete: true, exclude: ["*"], rsyncPath: "sudo rsync", removeSourceFiles: true };
  return buildListCommand({ sources: ["/other"], dest: "/dst", options, opts, remote, dryRun: false }, source);
}

describe("listing a source", () => {
  it("reaches it as the sync does, and does nothing else that the sync does", () => {
    expect(build("/data/")).toEqual(
      ["rsync", "-e", "ssh -p 22", "--timeout=30", "--rsync-path=sudo rsync", "--dirs"].concat([
        "--list-only",
        "--no-human-readable",
        "--outbuf=L",
        "--",
        "me@nas:/data/",
      ]),
    );
  });

  it("keeps of the user's words those that say how to get there", () => {
    const opts = ["-avze", "ssh -i k", "--exclude", "-4", "-6s", "--rsync-path", "r2", "--delete", "-essh", "-f", "-e"];
    const argv = build("/data", opts);
    expect(argv.slice(argv.indexOf("--rsync-path=sudo rsync") + 1, argv.indexOf("--dirs"))).toEqual([
      "-e",
      "ssh -i k",
      "-6s",
      "--rsync-path",
      "r2",
      "-essh",
    ]);
  });

  it("passes paths as the sync does", () => {
    expect(build("/a b[1]")).toEqual(expect.arrayContaining(["-s", "me@nas:/a b\\[1\\]"]));
  });

  it.each([
    ["/a", false],
    ["/a/", true],
    ["/a/.", true],
    ["..", true],
    ["/a/..b", false],
    ["/a/b.", false],
  ])("knows whether %s means the contents: %s", (path, expected) => {
    expect(namesContents(path)).toBe(expected);
  });

  it.each([
    ["drwxr-xr-x        4096 2026/11/20 13:04:45 .", { type: "d", name: "." }],
    ["-rw-r--r--+ 123456789012345 2026/11/20 13:04:45  a b", { type: "-", name: " a b" }],
    ["Welcome to this host", undefined],
    ["", undefined],
  ])("reads the line %j", (line, expected) => {
    expect(parseListedEntry(line)).toEqual(expected);
  });
});

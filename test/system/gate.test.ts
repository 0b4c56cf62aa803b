import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { findProgram } from "../../src/process/find-program.ts";
import { compareTrees } from "../support/compare-trees.ts";
import { type GateHost, type GateShell, makeGateHost } from "../support/gate-host.ts";
import { freePort } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const refused = { exitCode: 126, stderr: expect.stringContaining("rsyncdirector-gate: refused: ") as unknown };

const writer = (path: GateHost["path"]) => ({ write: [path("data")], locks: [path("locks")] });

/** Four at a time: each of them is a login. */
async function expectRefusals(host: GateHost, attempts: [what: string, args: string[]][]): Promise<void> {
  for (let next = 0; next < attempts.length; next += 4) {
    const attempt = async ([what, args]: [string, string[]]) => {
      const { exitCode, stderr } = await host.rsync("-a", ...args);
      expect({ what, ok: exitCode === 0, stderr }).toEqual({ what, ok: false, stderr: refused.stderr });
    };
    await Promise.all(attempts.slice(next, next + 4).map(attempt));
  }
}

async function sourceTree(): Promise<string> {
  const source = await makeTempDir();
  await mkdir(`${source}/deep/er`, { recursive: true });
  await writeFile(`${source}/a`, "a\n");
  await writeFile(`${source}/deep/er/b c`, "b\n");
  return source;
}

const shells: GateShell[] = ["dash", "busybox sh", "bash --posix"];

describe.each(shells)("a gate run by %s", (shell) => {
  const missing = findProgram(shell.split(" ")[0] ?? "", process.env["PATH"] ?? "") === undefined;

  it.skipIf(missing)("lets rsync write into its directory, and read from another", async () => {
    const host = await makeGateHost((path) => ({ ...writer(path), readOnly: [path("more")] }), { shell });
    const source = await sourceTree();
    const push = ["-a", "--delete", "--stats", "-i", "--partial-dir=.part", "--modify-window=-1", "--timeout=300"];
    expect(await host.rsync(...push, `${source}/`, host.there(host.path("data")))).toMatchObject({ exitCode: 0 });
    expect(compareTrees(source, host.path("data"))).toEqual([]);
    await writeFile(host.path("more", "x"), "x");
    const to = await makeTempDir();
    expect(await host.rsync("-a", host.there(`${host.path("more")}/`), to)).toMatchObject({ exitCode: 0 });
    expect(await readFile(`${to}/x`, "utf8")).toBe("x");
  });

  it.skipIf(missing)("refuses a shell, and what looks like one", async () => {
    const host = await makeGateHost(writer, { shell });
    for (const command of ["id", "/bin/sh -s; id", "/bin/sh  -s", "sh -c id", "rsync --server $(id) . /", ""]) {
      expect(await host.ssh(command, { input: "id\n" }), command).toMatchObject({ ...refused, stdout: "" });
    }
    expect(await host.ssh("/bin/sh -s", { input: "id\n" })).toMatchObject({ ...refused, stdout: "" });
  });
});

describe("a key that may write, beyond its directory", () => {
  /** What must never happen: that something outside comes or goes. */
  async function withOutside(host: GateHost): Promise<() => Promise<void>> {
    await writeFile(host.path("outside", "secret"), "secret\n");
    return async () => {
      expect(await readdir(host.path("outside"))).toEqual(["secret"]);
      expect(await readFile(host.path("outside", "secret"), "utf8")).toBe("secret\n");
    };
  }

  it("is refused by rsync's own ways out", async () => {
    const host = await makeGateHost(writer);
    const untouched = await withOutside(host);
    const source = await sourceTree();
    const [data, outside] = [host.path("data"), host.path("outside")];
    await mkdir(`${data}/sub`);
    await symlink(outside, `${data}/link`);
    const attempts: [string, string[]][] = [
      ["another directory", [`${source}/`, host.there(outside)]],
      ["dots", [`${source}/`, host.there(`${data}/../outside`)]],
      ["dots at the end", [`${source}/`, host.there(`${data}/..`)]],
      ["an absolute link", [`${source}/`, host.there(`${data}/link/`)]],
      ["through the link", [`${source}/`, host.there(`${data}/link/new/`)]],
      ["a relative path", [`${source}/`, host.there("data")]],
      ["the home directory", [`${source}/`, host.there("")]],
      ["a neighbour with the same beginning", [`${source}/`, host.there(`${data}-more/`)]],
      ["the directory of locks", [`${source}/`, host.there(`${host.path("locks")}/`)]],
      ["reading", [host.there(`${data}/`), `${source}/`]],
      ["temporary files elsewhere", [`--temp-dir=${outside}`, `${source}/`, host.there(data)]],
      ["temporary files by dots", ["--temp-dir=../outside", `${source}/`, host.there(data)]],
      ["temporary files through a link", ["--temp-dir=link", `${source}/`, host.there(data)]],
      ["backups elsewhere", ["-b", `--backup-dir=${outside}`, `${source}/`, host.there(data)]],
      ["backups by dots", ["-b", "--backup-dir=sub/../../outside", `${source}/`, host.there(data)]],
      ["copies of others' files", [`--copy-dest=${outside}`, `${source}/`, host.there(data)]],
      ["links to others' files", [`--link-dest=${outside}`, `${source}/`, host.there(data)]],
      ["comparing with others' files", [`--compare-dest=${outside}`, `${source}/`, host.there(data)]],
      ["partial files elsewhere", [`--partial-dir=${outside}`, `${source}/`, host.there(data)]],
      ["a log file", ["-M--log-file=/tmp/rsyncdirector-gate-test.log", `${source}/`, host.there(data)]],
      ["a batch", [`--only-write-batch=${source}/batch`, `${source}/`, host.there(data)]],
      ["a batch there", [`-M--write-batch=${outside}/batch`, `${source}/`, host.there(data)]],
      ["following links to directories", ["-K", `${source}/`, host.there(data)]],
      ["writing to devices", ["--write-devices", `${source}/`, host.there(data)]],
      ["words that are not seen", ["-s", `${source}/`, host.there(data)]],
      ["a daemon", ["-M--daemon", `${source}/`, host.there(data)]],
      ["another configuration", ["-M--config=/etc/passwd", `${source}/`, host.there(data)]],
      ["a remote shell", ["-M--rsh=id", `${source}/`, host.there(data)]],
      ["a remote shell in short", ["-M-eid", `${source}/`, host.there(data)]],
      ["another program", ["--rsync-path=id", `${source}/`, host.there(data)]],
      ["a program before it", ["--rsync-path=sudo rsync", `${source}/`, host.there(data)]],
      ["a program behind it", ["--rsync-path=id; rsync", `${source}/`, host.there(data)]],
      ["a list of files", [`-M--files-from=${outside}/secret`, `${source}/`, host.there(data)]],
      ["a suffix with a slash", ["-M--suffix=/x", `${source}/`, host.there(data)]],
    ];
    await expectRefusals(host, attempts);
    expect(await readdir(data)).toEqual(["link", "sub"]);
    await untouched();
  });

  it("is refused by everything else that sshd offers", async () => {
    const host = await makeGateHost(writer);
    const untouched = await withOutside(host);
    const file = host.path("outside", "secret");
    const into = host.there(host.path("data"));
    const scp = (...args: string[]) => execa("scp", [...host.client, ...args], { reject: false });
    expect((await scp("-O", file, into)).exitCode).not.toBe(0);
    expect((await scp("-s", file, into)).exitCode).not.toBe(0);
    const sftp = await execa("sftp", [...host.client, "-b", "-", host.there("")], { input: "ls\n", reject: false });
    expect(sftp.exitCode).not.toBe(0);
    expect(await readdir(host.path("data"))).toEqual([]);

    const pty = await host.ssh("tty", { options: ["-tt"] });
    expect(pty.stdout + pty.stderr).toContain("PTY allocation request failed");
    const port = await freePort();
    const forward = ["-o", "ExitOnForwardFailure=yes", "-R", `127.0.0.1:${port}:127.0.0.1:1`, "-N"];
    expect(await host.ssh("", { options: forward })).toMatchObject({
      exitCode: 255,
      stderr: expect.stringContaining("remote port forwarding failed") as unknown,
    });
    const through = await host.ssh("", { options: ["-W", `127.0.0.1:${host.sshd.port}`] });
    expect(through.stderr).toMatch(/administratively prohibited|open failed/);
    await untouched();
  });

  it("cannot push a link and write through it, whatever its rsync says", async () => {
    const host = await makeGateHost(writer);
    const untouched = await withOutside(host);
    const source = await sourceTree();
    await symlink(host.path("outside"), `${source}/way`);
    expect(await host.rsync("-a", `${source}/way`, host.there(host.path("data")))).toMatchObject({ exitCode: 0 });
    expect(await readlink(host.path("data", "way"))).toBe(`/rsyncd-munged/${host.path("outside")}`);
    const other = await makeTempDir();
    await mkdir(`${other}/way`);
    await writeFile(`${other}/way/secret`, "mine now\n");
    // With these the other side is told of the file and not of the directory that it is in.
    const words = ["-a", "--no-recursive", "--relative", "--no-implied-dirs", "--files-from=-"];
    await execa("rsync", [...words, "-e", ["ssh", ...host.client].join(" "), other, host.there(host.path("data"))], {
      input: "way/secret\n",
      reject: false,
    });
    await untouched();
  });

  it("gets a link back as it was", async () => {
    const host = await makeGateHost((path) => ({ ...writer(path), readOnly: [path("data")] }));
    const [source, back] = [await sourceTree(), await makeTempDir()];
    await symlink("/etc/hostname", `${source}/way`);
    expect(await host.rsync("-a", `${source}/`, host.there(host.path("data")))).toMatchObject({ exitCode: 0 });
    const again = await host.rsync("-ai", `${source}/`, host.there(host.path("data")));
    expect(again).toMatchObject({ exitCode: 0, stdout: "" });
    expect(await host.rsync("-a", host.there(`${host.path("data")}/`), back)).toMatchObject({ exitCode: 0 });
    expect(compareTrees(source, back)).toEqual([]);
  });

  it("may not delete where that is forbidden, and may where it is not", async () => {
    const keeping = await makeGateHost((path) => ({ ...writer(path), deletes: false }));
    const source = await sourceTree();
    await writeFile(keeping.path("data", "old"), "old");
    for (const option of ["--delete", "--delete-after", "--delete-excluded", "--force", "--delete-missing-args"]) {
      const result = await keeping.rsync("-a", option, `${source}/`, keeping.there(keeping.path("data")));
      expect(result.stderr, option).toContain("this key may not delete");
    }
    expect(await keeping.rsync("-a", `${source}/`, keeping.there(keeping.path("data")))).toMatchObject({ exitCode: 0 });
    expect((await readdir(keeping.path("data"))).toSorted()).toEqual(["a", "deep", "old"]);
  });

  it("makes a directory that is named as one, and no more than that", async () => {
    const host = await makeGateHost(writer);
    const source = await sourceTree();
    const push = (name: string, ...words: string[]) =>
      host.rsync("-a", ...words, `${source}/`, host.there(host.path("data", name)));
    expect((await push("new")).stderr).toContain("is no directory that is there");
    expect((await push("new/", "-n")).stderr).toContain("is no directory that is there");
    expect((await push("one/two/")).stderr).toContain("is no directory that is there");
    expect(await readdir(host.path("data"))).toEqual([]);
    expect(await push("new/")).toMatchObject({ exitCode: 0 });
    expect(compareTrees(source, host.path("data", "new"))).toEqual([]);
  });
});

describe("a key that may read, beyond its directory", () => {
  it("is refused", async () => {
    const host = await makeGateHost((path) => ({ readOnly: [path("data")] }));
    const [data, outside, to] = [host.path("data"), host.path("outside"), await makeTempDir()];
    await writeFile(`${outside}/secret`, "secret\n");
    await writeFile(`${data}/file`, "file\n");
    await symlink(outside, `${data}/link`);
    const attempts: [string, string[]][] = [
      ["another directory", [host.there(`${outside}/`), to]],
      ["dots", [host.there(`${data}/../outside/`), to]],
      ["a link", [host.there(`${data}/link/`), to]],
      ["a link with a dot", [host.there(`${data}/link/.`), to]],
      ["a file behind a link", [host.there(`${data}/link/secret`), to]],
      ["a second source", [host.there(`${data}/file`), `:${outside}/secret`, to]],
      ["wildcards", [host.there(`${data}/*`), to]],
      ["following links", ["-L", host.there(`${data}/`), to]],
      ["following links to directories", ["-k", host.there(`${data}/`), to]],
      ["following links that lead outside", ["--copy-unsafe-links", host.there(`${data}/`), to]],
      ["a list of files", [`--files-from=:${outside}/secret`, host.there(`${data}/`), to]],
      ["a list of one's own", ["--files-from=/dev/null", host.there(`${data}/`), to]],
      ["removing what was read", ["--remove-source-files", host.there(`${data}/`), to]],
      ["reading devices", ["--copy-devices", host.there(`${data}/`), to]],
      ["writing", [`${to}/`, host.there(data)]],
    ];
    await expectRefusals(host, attempts);
    expect(await readdir(to)).toEqual([]);
    expect(await readdir(data)).toEqual(["file", "link"]);
    expect(await host.ssh("/bin/sh -s", { input: "id\n" })).toMatchObject({ ...refused, stdout: "" });
  });

  it("sends a link as a link", async () => {
    const host = await makeGateHost((path) => ({ readOnly: [path("data")] }));
    const to = await makeTempDir();
    await symlink("/etc/passwd", host.path("data", "link"));
    expect(await host.rsync("-a", host.there(host.path("data", "link")), to)).toMatchObject({ exitCode: 0 });
    expect(await readlink(`${to}/link`)).toBe("/etc/passwd");
    expect((await stat(host.path("data"))).isDirectory()).toBe(true);
  });
});

describe("a line of authorized_keys that cannot be understood", () => {
  it.each([
    ["an option that does not exist", (line: string) => line.replace("--write", "--frobnicate")],
    ["an option without its directory", (line: string) => line.replace(/ --locks \S+?"/, ' --locks"')],
    ["a relative directory", (line: string) => line.replace("--locks /", "--locks ")],
    ["dots", (line: string) => line.replace(/--locks (\S+?)"/, '--locks $1/../data"')],
    [
      "locks that can be written into",
      (line: string) => line.replace(/--locks (\S+?)\/locks"/, '--locks $1/data/locks"'),
    ],
    ["a directory of locks around the data", (line: string) => line.replace(/--locks (\S+?)\/locks"/, '--locks $1"')],
    ["everything", (line: string) => line.replace(/--write \S+/, "--write /")],
    [
      "the home of the account, keys and all",
      (line: string, home: string) => line.replace(/--write \S+/, `--write ${home}`),
    ],
    [
      "a directory among the keys",
      (line: string, home: string) => line.replace(/--write \S+/, `--write ${home}/.ssh/more`),
    ],
  ])("lets nobody in: %s", async (_, rawLine) => {
    const host = await makeGateHost(writer, { rawLine });
    expect(await host.ssh("/bin/sh -s")).toMatchObject({
      ...refused,
      stderr: expect.stringMatching(/authorized_keys|for locks/) as unknown,
    });
    const source = await sourceTree();
    const { exitCode, stderr } = await host.rsync("-a", `${source}/`, host.there(host.path("data")));
    expect({ ok: exitCode === 0, stderr }).toEqual({ ok: false, stderr: refused.stderr });
  });
});

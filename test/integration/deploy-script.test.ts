import { execa } from "execa";
import { chmod, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { projectRoot } from "../support/project-files.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const script = join(projectRoot, "resources", "deploy.sh");

/** Calls a function of the script as its host does. */
function call(name: string, ...args: string[]) {
  return execa("sh", ["-c", '. "$1"; shift; "$@"', "sh", script, name, ...args], { reject: false });
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

it("makes a directory, and leaves what a link in its place leads to as it is", async () => {
  const at = await makeTempDir();
  const owner = [String(process.getuid?.()), String(process.getgid?.())];
  expect(await call("rd_do_directory", join(at, "new"), ...owner, "0750")).toMatchObject({ exitCode: 0 });
  expect(await modeOf(join(at, "new"))).toBe("750");
  await mkdir(join(at, "private"));
  await chmod(join(at, "private"), 0o700);
  await symlink("private", join(at, "link"));
  const refused = await call("rd_do_directory", join(at, "link"), ...owner, "0755");
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is a symbolic link") as unknown });
  expect(await modeOf(join(at, "private"))).toBe("700");
});

describe("on a host with another package manager", () => {
  /** A call that finds nothing but stand-ins of these programs, which write down their words. */
  async function callWith(programs: Record<string, string>, input: string, ...words: string[]) {
    const at = await makeTempDir();
    for (const [name, body] of Object.entries(programs)) {
      await writeFile(join(at, name), `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>${at}/record\n${body}\n`, {
        mode: 0o755,
      });
    }
    for (const name of ["base64", "cat", "chmod", "cut", "mkdir", "mktemp", "mv", "rm", "sha256sum", "sh"]) {
      await symlink((await execa("sh", ["-c", 'command -v "$1"', "sh", name])).stdout, join(at, name));
    }
    const run = '. "$1"; PATH=$2; shift 2; "$@"';
    const { exitCode, stderr } = await execa("/bin/sh", ["-c", run, "sh", script, at, ...words], {
      input,
      reject: false,
    });
    const record = await readFile(join(at, "record"), "utf8").catch(() => "");
    return { exitCode, stderr, record: record.split("\n").filter(Boolean) };
  }

  it("has dnf install the tools, and fails with what cannot be had", async () => {
    const tools = ["rsync", "openssh-clients", "util-linux"];
    expect(await callWith({ dnf: "" }, "", "rd_do_tools", ...tools)).toMatchObject({
      exitCode: 0,
      record: ["dnf -q -y install rsync openssh-clients util-linux"],
    });
    expect(await callWith({ dnf: "echo no such package >&2; exit 1" }, "", "rd_do_tools", ...tools)).toMatchObject({
      exitCode: 1,
      stderr: "no such package\ncannot install rsync openssh-clients util-linux",
    });
    expect(await callWith({}, "", "rd_do_tools", "rsync")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("neither apt-get nor dnf is here: install rsync") as unknown,
    });
  });

  it("takes apt-get where that is, with its lists brought up to date", async () => {
    expect((await callWith({ "apt-get": "", dnf: "" }, "", "rd_do_tools", "rsync")).record).toEqual([
      "apt-get -q update",
      "apt-get -q -y install --no-install-recommends -- rsync",
    ]);
  });

  it("has npm install the program, and remembers which it was when that starts", async () => {
    const bytes = Buffer.from("what npm pack makes");
    const sum = createHash("sha256").update(bytes).digest("hex");
    const state = await makeTempDir();
    const install = () =>
      callWith({ npm: "", rsyncdirector: "" }, bytes.toString("base64"), "rd_do_program", "npm", state, sum);
    const { exitCode, record, stderr } = await install();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(record).toEqual([
      expect.stringMatching(
        /^npm install --global --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error -- \/\S+\/rsyncdirector\.tgz$/,
      ),
      "rsyncdirector --version",
    ]);
    expect(await readFile(join(state, "package"), "utf8")).toBe(`${sum}\n`);
    const broken = { npm: "", rsyncdirector: "exit 1" };
    expect(await callWith(broken, bytes.toString("base64"), "rd_do_program", "npm", state, sum)).toMatchObject({
      exitCode: 1,
      stderr: "the program that was installed does not start",
    });
    await expect(readFile(join(state, "package"))).rejects.toThrow("ENOENT");
  });
});

import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runProgram } from "../../src/cli/program.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const blob = "AAAAC3NzaC1lZDI1NTE5AAAAIBiSq5wDpBC4GGKRzQmYMRIhxBXpNYbLEo7n3iRRP5vK";

async function makeHome() {
  const home = await makeTempDir();
  const keyFile = join(home, "laptop.pub");
  await writeFile(keyFile, `ssh-ed25519 ${blob} director@laptop\n`);
  const authorize = async (...args: string[]) => {
    const written = { stdout: "", stderr: "" };
    const status = await runProgram(["authorize", ...args], {
      env: { HOME: home },
      stdout: { write: (text) => void (written.stdout += text) },
      stderr: { write: (text) => void (written.stderr += text) },
    });
    return { status, ...written };
  };
  return { keyFile, authorizedKeys: join(home, ".ssh", "authorized_keys"), authorize };
}

describe("rsyncdirector authorize", () => {
  it("prints the line, and changes nothing", async () => {
    const { keyFile, authorizedKeys, authorize } = await makeHome();
    const { status, stdout } = await authorize(keyFile, "--write", "/backup/a", "--locks", "/run/locks", "--no-delete");
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /^restrict,command="\/bin\/sh \/\S+\/resources\/gate\.sh --write \/backup\/a --locks \/run\/locks --no-delete" ssh-ed25519 \S+ director@laptop\n$/,
    );
    await expect(stat(authorizedKeys)).rejects.toThrow("ENOENT");
  });

  it("installs it once, and replaces it when the rights change", async () => {
    const { keyFile, authorizedKeys, authorize } = await makeHome();
    expect((await authorize(keyFile, "--write", "/a", "--install")).stdout).toContain("was added");
    expect((await stat(authorizedKeys)).mode & 0o777).toBe(0o600);
    expect((await authorize(keyFile, "--write", "/a", "--install")).stdout).toContain("already");
    expect((await authorize(keyFile, "--write", "/b", "--install")).stdout).toContain("replaced");
    expect((await readFile(authorizedKeys, "utf8")).match(/--write \/\w/g)).toEqual(["--write /b"]);
  });

  it("does not hide a line that lets the key in without a gate", async () => {
    const { keyFile, authorizedKeys, authorize } = await makeHome();
    await authorize(keyFile, "--write", "/a", "--install");
    await writeFile(authorizedKeys, `ssh-ed25519 ${blob} old\n`);
    const { status, stderr } = await authorize(keyFile, "--write", "/a", "--install");
    expect(status).toBe(1);
    expect(stderr).toContain(`${authorizedKeys}:1 lets this key in already, and not through the gate`);
    expect(await readFile(authorizedKeys, "utf8")).toBe(`ssh-ed25519 ${blob} old\n`);
  });

  it.each([
    ["no rights", [], "may do nothing"],
    ["a path with a blank", ["--write", "/a b"], "cannot be a directory"],
    ["locks among the data", ["--write", "/a", "--locks", "/a/locks"], "would be written into"],
  ])("refuses %s", async (_, args, message) => {
    const { keyFile, authorize } = await makeHome();
    const { status, stderr } = await authorize(keyFile, ...args);
    expect(status).toBe(78);
    expect(stderr).toContain(message);
  });
});

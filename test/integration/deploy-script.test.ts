import { execa } from "execa";
import { chmod, mkdir, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
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

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { projectFiles, projectRoot, readProjectFile } from "./support/project-files.ts";
import { makeTempDir } from "./support/temp-dir.ts";

const files = projectFiles();
const packageJson = JSON.parse(readProjectFile("package.json")) as { files: string[] };

describe("the repository", () => {
  it("names no path of the machine it was written on", () => {
    const outside = ["", "work", ""].join("/");
    const found = files.filter((path) => {
      const text = readProjectFile(path);
      return text.includes(`${projectRoot}/`) || new RegExp(`(^|[\\s"'\`=:(])${outside}`, "m").test(text);
    });
    expect(found).toEqual([]);
  });

  it("names no package registry", () => {
    expect(readProjectFile("package-lock.json")).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
    expect(readProjectFile(".npmrc")).not.toMatch(/registry\s*=|_auth|:\/\//);
  });

  it("locks the packages of every platform, without which npm ci refuses", () => {
    const { packages } = JSON.parse(readProjectFile("package-lock.json")) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const locked = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));
    const wanted = Object.values(packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });

  it("packs only what exists", () => {
    const made = new Set(["dist"]);
    expect(packageJson.files.filter((path) => !made.has(path) && !existsSync(join(projectRoot, path)))).toEqual([]);
  });

  it("has a .ci/run that can be started", () => {
    expect(statSync(join(projectRoot, ".ci/run")).mode & 0o111).toBe(0o111);
    execFileSync("bash", ["-n", join(projectRoot, ".ci/run")]);
  });
});

describe("the systemd units", () => {
  const units = files.filter((path) => path.startsWith("systemd/") && path.endsWith(".service"));

  it("start the program with a configuration of their own", () => {
    expect(units.length).toBeGreaterThan(0);
    for (const unit of units) {
      expect(readProjectFile(unit)).toMatch(/^ExecStart=\S+\/rsyncdirector start --config \S*%i\S*$/m);
    }
  });

  // The most that systemd may find to say against each, from 0 (nothing) to 10; it counts directives that are missing.
  it.each([
    ["systemd/rsyncdirector@.service", 4.1],
    ["systemd/rsyncdirector-push@.service", 2.2],
  ])("expose little of the host: %s", (unit, most) => {
    const look = ["security", "--offline=true", "--no-pager", join(projectRoot, unit)];
    const { status, stdout } = spawnSync("systemd-analyze", look, { encoding: "utf8" });
    if (status !== 0) {
      console.warn(`the exposure of ${unit} is not judged: systemd-analyze security --offline does not work here`);
      return;
    }
    const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    console.log(`${unit}: exposure ${exposure}, at most ${most}`);
    expect(exposure).toBeLessThanOrEqual(most);
  });

  it("name every directive that they leave out, with a reason", () => {
    for (const unit of units) expect(readProjectFile(unit)).toMatch(/^# Left out, and why:$/m);
  });

  it("are accepted by systemd", async (context) => {
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) context.skip("systemd-analyze is not installed");
    const directory = join(await makeTempDir(), "units");
    mkdirSync(directory);
    for (const unit of units) {
      // The program and its manual are not installed here, and systemd would complain of that alone.
      const text = readProjectFile(unit).replaceAll(/^(Exec\w+)=\S+/gm, "$1=/bin/true");
      const instance = join(directory, unit.replace("systemd/", "").replace("@.", "@test."));
      writeFileSync(instance, text);
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", instance], { encoding: "utf8" });
      expect({ unit, status, stderr }).toEqual({ unit, status: 0, stderr: "" });
    }
  });
});

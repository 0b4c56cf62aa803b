import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { builtProgram } from "../support/director-process.ts";
import { makeInstance, runCli } from "../support/instance.ts";

const top = dirname(dirname(builtProgram));

/** The files of the program and its packages that V8 has run in processes with this environment, without their hashes. */
async function filesOf(directory: string): Promise<string[]> {
  const found = new Set<string>();
  for (const name of await readdir(directory)) {
    const { result } = JSON.parse(await readFile(join(directory, name), "utf8")) as { result: { url: string }[] };
    for (const { url } of result) {
      if (url.startsWith(`file://${top}/`)) found.add(relative(top, fileURLToPath(url)));
    }
  }
  return [...found].map((file) => file.replace(/-[\w-]{8}\.js$/, ".js")).sort();
}

async function watchLoads<T>(work: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<{ files: string[]; result: T }> {
  const directory = await mkdtemp(join(tmpdir(), "rsyncdirector-loads-"));
  try {
    const result = await work({ ...process.env, NODE_V8_COVERAGE: directory });
    return { result, files: await filesOf(directory) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

const jobs = [{ id: "a", type: "local", actions: [{ action: "command", id: "x", command: "true" }] }];

describe("what is loaded", () => {
  it("by status: what asks a director, and one package", async () => {
    const instance = await makeInstance({ jobs });
    const director = await instance.start();
    const { files, result } = await watchLoads((env) => runCli(["status", "-c", instance.configFile], { env }));
    director.signal("SIGTERM");
    expect(await director.exited).toBe(0);
    expect(result.exitCode).toBe(0);
    const packages = files.filter((file) => file.startsWith("node_modules/")).map((file) => file.split("/")[1]);
    expect(new Set(packages)).toEqual(new Set(["commander"]));
    const own = files.filter((file) => file.startsWith("dist/"));
    expect(own).toContain("dist/asking.js");
    expect(own).not.toEqual(expect.arrayContaining(["dist/config.js"]));
    expect(own.length).toBeLessThanOrEqual(8);
  });

  it("by the daemon: few files of ours, and no package that it has no use for", async () => {
    const { files } = await watchLoads(async (env) => {
      const instance = await makeInstance({ jobs });
      const director = await instance.start({ env });
      director.signal("SIGTERM");
      expect(await director.exited).toBe(0);
    });
    const own = files.filter((file) => file.startsWith("dist/"));
    expect(own).toContain("dist/daemon.js");
    expect(own.length).toBeLessThanOrEqual(12);
    const packages = new Set(files.map((file) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]));
    for (const name of ["fastify", "ssh2", "nodemailer", "bcryptjs", "diff", "pino-pretty"]) {
      expect(packages).not.toContain(name);
    }
  });
});

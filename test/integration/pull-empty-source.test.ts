import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RsyncOptions } from "../../src/base/rsync-options.ts";
import { buildSync, startAction } from "../support/run-action.ts";
import type { StartOptions } from "../support/run-action.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd } from "../support/sshd.ts";
import type { TestSshd } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

let sshd: TestSshd;
let directory: string;
let source: string;
let dest: string;

beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

beforeEach(async () => {
  directory = await makeTempDir();
  source = join(directory, "a [source] $(id)");
  dest = join(directory, "dest");
  await mkdir(join(source), { recursive: true });
  await mkdir(join(dest, "a [source] $(id)"), { recursive: true });
  await writeFile(join(dest, "precious"), "old");
  await writeFile(join(dest, "a [source] $(id)", "precious"), "old");
});

function pull(sources: string[], options: { rsync?: RsyncOptions; opts?: string[] } & StartOptions = {}) {
  const { rsync = { archive: true, delete: true }, opts = [], job, ...rest } = options;
  const remote = { type: "remote", direction: "pull", endpoint: endpointOf(sshd), ...job } as const;
  return startAction(buildSync({ sources, dest, rsync, opts }), { job: remote, ...rest }).outcome;
}

const untouched = async () => {
  expect(await readdir(dest)).toContain("precious");
  expect(await readdir(join(dest, "a [source] $(id)"))).toEqual(["precious"]);
};

describe("a pull that deletes", () => {
  it.each([
    ["the contents of a directory", "/", ["--delete-after"]],
    ["a directory", "", ["-avz", "--del"]],
    ["a directory with excludes", "", ["--delete-excluded", "--exclude=*"]],
  ])("of %s refuses when that is empty", async (_case, end, opts) => {
    await mkdir(join(source, "lost+found"));
    await expect(pull([`${source}${end}`], { rsync: { archive: true }, opts })).resolves.toEqual({
      kind: "failed",
      cause: "process",
      message: `source ${JSON.stringify(`127.0.0.1:${source}${end}`)} is empty, and the sync would delete everything at the destination; is it mounted?`,
      retryable: true,
      report: null,
    });
    await untouched();
  });

  it("refuses when one of several sources is empty", async () => {
    await writeFile(join(directory, "file"), "content");
    await expect(pull([join(directory, "file"), source])).resolves.toMatchObject({ kind: "failed", cause: "process" });
    await untouched();
  });

  it("follows a link to an empty directory when the sync does", async () => {
    const link = join(directory, "link");
    await symlink(source, link);
    await expect(pull([link], { opts: ["-L"] })).resolves.toMatchObject({ kind: "failed", cause: "process" });
    await expect(pull([link])).resolves.toMatchObject({ kind: "ok" });
  });

  it.each(["", "/"])("copies and deletes when there is something (path ends in %j)", async (end) => {
    await writeFile(join(source, "new"), "content");
    await expect(pull([`${source}${end}`])).resolves.toMatchObject({ kind: "ok" });
    expect(await readdir(end === "" ? join(dest, "a [source] $(id)") : dest)).toEqual(["new"]);
  });

  it("copies a single file", async () => {
    await writeFile(join(directory, "file"), "content");
    await expect(pull([join(directory, "file")])).resolves.toMatchObject({ kind: "ok" });
    expect(await readdir(dest)).toContain("file");
  });

  it.each(["", "/"])("fails when the source is missing, whatever the job says about codes (%j)", async (end) => {
    await expect(
      pull([`${directory}/missing${end}`], { job: { exitCodes: new Map([[23, "ok"]]) } }),
    ).resolves.toMatchObject({
      kind: "failed",
      retryable: true,
      message: expect.stringContaining("No such file"),
    });
    await untouched();
  });

  it("fails for good when the login is refused", async () => {
    const endpoint = endpointOf(sshd, { identityFile: join(sshd.directory, "host_key") });
    await expect(pull([source], { job: { endpoint } })).resolves.toMatchObject({
      kind: "failed",
      retryable: false,
      message: expect.stringContaining("login was refused"),
    });
  });

  it("is not held up in a dry run", async () => {
    await expect(pull([`${source}/`], { dryRun: true })).resolves.toMatchObject({ kind: "ok" });
    await untouched();
  });
});

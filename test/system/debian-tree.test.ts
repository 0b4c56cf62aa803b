import { stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { execa } from "execa";
import { join } from "node:path";
import { debianTarball, unpackDebian, whyNoDebian } from "../support/debian-tree.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const why = whyNoDebian();
if (why !== undefined) console.warn(`SKIPPED the shared root file system: ${why}`);

describe.skipIf(why !== undefined)("a Debian for tests", () => {
  it("is made once, by whoever asks first, and is the release of this host", async () => {
    const [one, other] = await Promise.all([debianTarball(), debianTarball()]);
    expect(other).toBe(one);
    const made = (await stat(one)).ino;
    const root = join(await makeTempDir(), "root");
    await unpackDebian(root);
    expect((await stat(one)).ino).toBe(made);
    const release = (directory: string) =>
      execa("sh", ["-c", '. "$1/etc/os-release" && echo "$ID $VERSION_CODENAME"', "sh", directory]);
    expect((await release(root)).stdout).toBe((await release("")).stdout);
    expect((await execa("chroot", [root, "dpkg", "--audit"])).stdout).toBe("");
  });
});

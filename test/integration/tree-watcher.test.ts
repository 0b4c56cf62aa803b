import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { makeTempDir } from "../support/temp-dir.ts";
import { mountTmpfs } from "../support/tmpfs.ts";
import { watchTree } from "../support/watched-tree.ts";

const sh = (cwd: string, script: string) => execa("/bin/sh", ["-ec", script], { cwd });

describe.each(["disk", "tmpfs"])("on %s, a target that gets only what is reported equals the source after", (kind) => {
  const cases: Record<string, string> = {
    "a file is written": "echo one > file",
    "a chain of directories is made and a file in the last": "mkdir -p a/b/c/d/e; echo one > a/b/c/d/e/file",
    "many chains are made at once":
      "for n in 1 2 3 4 5 6 7 8 9; do mkdir -p $n/a/b/c && echo $n > $n/a/b/c/f && mkdir -p $n/a/d; done",
    "a file is saved by renaming another one": "echo new > tree/one.tmp; mv tree/one.tmp tree/one",
    "a file is deleted": "rm tree/one",
    "a file is deleted and made again": "rm tree/one; echo again > tree/one",
    "a directory is deleted": "rm -r tree",
    "a directory is deleted and made again with less in it": "rm -r tree; mkdir tree; echo x > tree/other",
    "a directory is renamed": "mv tree moved; echo later > moved/one",
    "a directory is renamed, and another one takes its name": "mv tree old; mv second tree",
    "a directory is moved out": "mv tree ../out",
    "a directory is moved out and comes back with less in it": "mv tree ../out; rm ../out/one; mv ../out tree",
    "a full directory is moved in": "cp -r tree ../in; echo x > ../in/deep/more; mv ../in in; echo y > in/deep/later",
    "a directory is renamed into another one": "mv tree second/inner; mv second/inner/deep second/up",
    "two directories change places": "mv tree x; mv second tree; mv x second",
    "a file takes the place of a directory": "rm -r tree; echo x > tree",
    "a directory takes the place of a file": "rm tree/one; mkdir tree/one; echo x > tree/one/x",
    "permissions change": "chmod 700 tree; chmod 600 tree/one; chmod 711 .",
    "links come, change and go": "ln -s tree link; ln -s nowhere broken; ln -sfn second link; ln -s .. tree/up",
    "a link takes the place of a directory": "mv second ../out; ln -s ../out second; echo x > second/unseen",
    "a link is written through": "ln -s ../tree/one second/link; echo through > second/link",
    "names are strange": "mkdir -- 'a b' 'ä' '*' '-n' '\\'; echo x > 'a b/\n'; echo y > 'ä/\"'; echo z > '*/ö'",
    "an archive is unpacked": "tar -cf ../a.tar tree second; mkdir new; tar -xf ../a.tar -C new; rm -r new/tree/deep",
    "a file grows by and by": "for n in 1 2 3 4 5 6 7 8; do echo $n >> tree/one; done",
    "nothing but a directory inside is deleted": "rm -r tree/deep/deeper; rmdir empty",
  };

  it.for(Object.entries(cases))("%s", async ([, script], { skip }) => {
    const place = kind === "disk" ? { directory: await makeTempDir() } : await mountTmpfs("size=64m");
    if (!("directory" in place)) return skip(place.why);
    const tree = await watchTree(place.directory, {
      prepare: (source) =>
        sh(
          source,
          "mkdir -p tree/deep/deeper second empty; for f in tree/one tree/two tree/deep/three tree/deep/deeper/four second/five; do echo $f > $f; done",
        ),
    });
    await tree.carriesAfter(() => sh(tree.source, script));
    await tree.becomesEqual();
    expect(tree.everything).toEqual([]);
    // And it is still watched: whatever came is seen to change.
    await sh(tree.source, "find . -type d ! -path . -exec sh -c 'echo again > \"$1/again\"' - {} \\;");
    await tree.becomesEqual();
    expect(tree.everything).toEqual([]);
  });
});

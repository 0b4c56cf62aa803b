import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSshd, type TestSshd } from "../support/sshd.ts";
import { openWatchScript, type WatchScript } from "../support/watch-script.ts";
import { deletingScriptConfig, plainScriptConfig, trackingScriptConfig } from "../support/watch-script-configs.ts";

let target: TestSshd;
beforeAll(async () => void (target = await startSshd()));
afterAll(() => target.stop());

const scripts = [
  { what: "that never deletes", config: plainScriptConfig, endings: ["rrd", "txt"] },
  { what: "that deletes", config: deletingScriptConfig, endings: ["rrd", "txt", "properties", "meta"] },
  { what: "that tracks changes", config: trackingScriptConfig, endings: ["rrd", "txt"] },
];

/** Every file below a directory, by its path. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.map((file) => file.slice(directory.length + 1)).toSorted();
}

/** What a change has led to when a file has this content at the target. */
function afterArrival(script: WatchScript, change: () => Promise<unknown>, name: string, content: string) {
  return script.after(change, async () => (await script.arrived(name)) === content);
}

/** A file that is sent after everything that was done before it. */
const mark = (script: WatchScript, name: string) =>
  afterArrival(script, () => script.write(name, "mark"), name, "mark");

describe.each(scripts)("the file of a watching script $what", ({ config, endings }) => {
  it("sends the files of its endings: those that are there, and those that are made or changed later", async () => {
    const script = await openWatchScript(config, { sshd: target });
    const { write, arrived } = script;
    const first = endings.flatMap((ending) => [`top.${ending}`, `a/deep/er.${ending}`]).toSorted();
    for (const name of [...first, "other.log", "a/other.tmp", "only-others/x.bak"]) await write(name, name);
    const { director, work } = await script.start();
    expect(work).toEqual({ outcomes: ["ok"], sent: first.length, deleted: 0 });
    expect(await filesBelow(script.dest())).toEqual(first);
    expect(existsSync(script.dest("only-others"))).toBe(false);

    for (const ending of endings) {
      const made = `new/${ending}/made.${ending}`;
      const making = async () => {
        await write(`new/${ending}/made.log`, "not this");
        await write(made, "made");
      };
      expect(await afterArrival(script, making, made, "made")).toMatchObject({ sent: 1 });
      const changing = async () => {
        await write("other.log", "not this either");
        await write(`a/deep/er.${ending}`, `changed ${ending}`);
      };
      const changed = await afterArrival(script, changing, `a/deep/er.${ending}`, `changed ${ending}`);
      expect(changed).toMatchObject({ sent: 1 });
    }
    // As an editor saves: the new text under another name, then renamed over the old one.
    const saving = async () => {
      await write("top.txt.swp", "saved");
      await rename(script.source("top.txt.swp"), script.source("top.txt"));
    };
    expect(await afterArrival(script, saving, "top.txt", "saved")).toMatchObject({ sent: 1 });
    const made = endings.map((ending) => `new/${ending}/made.${ending}`);
    expect(await filesBelow(script.dest())).toEqual([...first, ...made].toSorted());
    expect(await arrived("top.rrd")).toBe("top.rrd");
    await script.stop(director);
  });

  it("leaves at the target what is deleted, as long as the file does not say more", async () => {
    const script = await openWatchScript(config, { sshd: target });
    for (const name of ["gone.txt", "sub/gone.rrd", "stays.txt"]) await script.write(name, name);
    const { director } = await script.start();
    await rm(script.source("gone.txt"));
    await rm(script.source("sub"), { recursive: true });
    expect(await mark(script, "mark.txt")).toMatchObject({ sent: 1, deleted: 0 });
    expect(await filesBelow(script.dest())).toEqual(["gone.txt", "mark.txt", "stays.txt", "sub/gone.rrd"]);
    await script.stop(director);
    expect((await script.start()).work).toEqual({ outcomes: ["ok"], sent: 0, deleted: 0 });
    expect(await script.arrived("gone.txt")).toBe("gone.txt");
  });

  it("deletes at the target exactly what was deleted, with the line that the warning proposes", async () => {
    const script = await openWatchScript(config, { sshd: target, keys: ['"watch": {"delete": "watch"}'] });
    const { source, dest } = script;
    for (const name of ["gone.txt", "sub/gone.rrd", "sub/stays.rrd", "gone.log", "whole/a.txt"]) {
      await script.write(name, name);
    }
    const { director } = await script.start();
    await mkdir(dest("sub"), { recursive: true });
    for (const name of ["gone.log", "only-there.txt", "sub/only-there.rrd"]) await writeFile(dest(name), "theirs");
    const deleting = async () => {
      for (const name of ["gone.txt", "sub/gone.rrd", "gone.log"]) await rm(source(name));
    };
    const gone = async () => !existsSync(dest("gone.txt")) && !existsSync(dest("sub/gone.rrd"));
    expect(await script.after(deleting, gone)).toMatchObject({ sent: 0, deleted: 2 });
    const rest = ["gone.log", "only-there.txt", "sub/only-there.rrd", "sub/stays.rrd"];
    expect(await filesBelow(dest())).toEqual([...rest, "whole/a.txt"]);
    await script.after(
      () => rm(source("whole"), { recursive: true }),
      async () => !existsSync(dest("whole")),
    );
    expect(await filesBelow(dest())).toEqual(rest);
    // Nor does the complete sync of a new start delete what is only at the target.
    await script.stop(director);
    expect((await script.start()).work).toEqual({ outcomes: ["ok"], sent: 0, deleted: 0 });
    expect(await filesBelow(dest())).toEqual(rest);
  });

  it("does not send again after a restart what has arrived, and keeps the log in log_file", async () => {
    const script = await openWatchScript(config, { sshd: target });
    await script.write("a/one.txt", "one");
    await script.write("two.rrd", "two");
    const first = await script.start();
    expect(first.work).toMatchObject({ sent: 2 });
    await mark(script, "a/late.txt");
    await script.stop(first.director);
    const second = await script.start();
    expect(second.work).toEqual({ outcomes: ["ok"], sent: 0, deleted: 0 });
    await script.stop(second.director);
    await script.write("a/meanwhile.rrd", "nobody looked");
    const third = await script.start();
    expect(third.work).toEqual({ outcomes: ["ok"], sent: 1, deleted: 0 });
    expect(await script.arrived("a/meanwhile.rrd")).toBe("nobody looked");
    await script.stop(third.director);
    const log = await script.log();
    expect(log.filter(({ msg }) => msg === "director started")).toHaveLength(3);
    // INFO is what the file asks for: no line of rsync's own, and nothing on standard output.
    expect(log.filter(({ level }) => level === "DEBUG")).toEqual([]);
    expect([first, second, third].flatMap(({ director }) => director.lines)).toEqual([]);
    expect(existsSync(script.own("state.json"))).toBe(false);
  });
});

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

describe.each(["difflib", "diff"])("the file of the script that tracks changes, with diff_tool %s", (tool) => {
  const edit = (text: string) => text.replace('"diff_tool": "difflib"', `"diff_tool": "${tool}"`);

  it("keeps differences and previous copies, shows them and brings a file back", async () => {
    const script = await openWatchScript(trackingScriptConfig, { sshd: target, edit });
    const { own, source } = script;
    const notes = source("sub/notes.txt");
    const [before, after] = ["one\ntwo\nthree\n", "one\n2\nthree\nfour\n"];
    const [oldGraph, newGraph] = [Buffer.from([0, 255, 1, 2]), Buffer.from([0, 255, 3, 4, 5, 6])];
    await script.write("sub/notes.txt", before);
    await script.write("sub/graph.rrd", oldGraph);
    const { director } = await script.start();
    const changeLog = () => readFile(own("change_log.txt"), "utf8").catch(() => "");
    const entries = async () => (await changeLog()).split(`${"=".repeat(80)}\n`).slice(0, -1);
    expect(await entries()).toEqual([]);

    await afterArrival(script, () => script.write("sub/notes.txt", after), "sub/notes.txt", after);
    const run = /^Run: +(\S+)$/m.exec(await changeLog())?.[1] ?? "none";
    const [entry, ...others] = await entries();
    expect(others).toEqual([]);
    const copy = own("backup", "versions", run, "watched", "source", "sub", "notes.txt");
    expect(entry?.split("\n")).toEqual([
      expect.stringMatching(/^Entry: +\S+$/),
      expect.stringMatching(/^Time: +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      `File:    ${notes}`,
      `Change:  modified, ${before.length} -> ${after.length} bytes, 2 lines added, 1 removed`,
      `Run:     ${run}`,
      "Job:     watched, action source",
      `Trigger: watch: ${notes}`,
      `Before:  ${copy}`,
      expect.stringMatching(/^--- before/),
      expect.stringMatching(/^\+\+\+ after/),
      "@@ -1,3 +1,4 @@",
      ...[" one", "-two", "+2", " three", "+four", ""],
    ]);
    expect((await script.log()).filter(({ msg }) => msg === "run started").map((line) => line["run"])).toContain(run);
    expect(await readFile(copy, "utf8")).toBe(before);
    for (const file of [copy, own("change_log.txt")]) expect((await stat(file)).mode & 0o777).toBe(0o600);
    for (const name of ["backup", "backup/versions"]) expect((await stat(own(name))).mode & 0o777).toBe(0o700);

    await script.after(
      () => script.write("sub/graph.rrd", newGraph),
      async () => (await readFile(script.dest("sub/graph.rrd"))).equals(newGraph),
    );
    const graph = (await entries())[1]?.split("\n") ?? [];
    expect(graph).toContain(`File:    ${source("sub/graph.rrd")}`);
    expect(graph).toContain(
      `Change:  modified (binary), 4 -> 6 bytes, sha256 ${sha256(oldGraph)} -> ${sha256(newGraph)}`,
    );

    const shown = await script.cli("changes", notes, "--diff");
    expect(shown).toMatchObject({ exitCode: 0 });
    expect(shown.stdout).toContain(run);
    expect(shown.stdout).toContain("@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four");
    expect(shown.stdout).not.toContain("graph.rrd");
    const restoring = async () =>
      expect(await script.cli("changes", "restore", notes, "--run", run)).toMatchObject({ exitCode: 0, stderr: "" });
    // A restored file is a change like any other: it is sent too.
    await afterArrival(script, restoring, "sub/notes.txt", before);
    expect(await readFile(notes, "utf8")).toBe(before);
    expect((await entries()).filter((text) => text.includes(`File:    ${notes}\n`))).toHaveLength(2);
    await script.stop(director);

    // A new start neither sends nor notes again what is known.
    const count = (await entries()).length;
    expect((await script.start()).work).toEqual({ outcomes: ["ok"], sent: 0, deleted: 0 });
    expect(await entries()).toHaveLength(count);
  });
});

import { mkdir, truncate, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { expect, it, vi } from "vitest";
import { type Instance, makeInstance } from "../support/instance.ts";
import { codeBlocks } from "../support/markdown.ts";
import { readProjectFile } from "../support/project-files.ts";

/** Each command that docs/monitoring.md shows, with what it prints there. */
function shownCommands(): Map<string, string> {
  const shown = new Map<string, string>();
  for (const { language, text } of codeBlocks(readProjectFile("docs/monitoring.md"))) {
    if (language !== "console") continue;
    for (const [, command = "", output = ""] of text.matchAll(/^\$ rsyncdirector (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
      shown.set(command, output);
    }
  }
  return shown;
}

/** What differs from one time to another, and from one host to another, is the same afterwards. */
function normalise(text: string, path: Instance["path"]): string {
  const places = {
    locks: "/run/rsyncdirector-locks",
    home: "/home",
    photos: "/srv/photos",
    mnt: "/mnt",
    mail: "/var/mail",
  };
  const here = Object.entries(places).reduce((all, [name, place]) => all.replaceAll(path(name), place), text);
  return (
    here
      .replaceAll(`on ${hostname()}`, "on laptop01")
      .replaceAll(/\d{8}-\d{6}-[0-9a-f]{6}/g, "RUN")
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME")
      .replaceAll(/\[#*\.*\]/g, "[BAR]")
      .replaceAll(/[\d.]+ [kMG]?B(\/s)?\b/g, "BYTES")
      .replaceAll(/\b(?:\d+(?:\.\d+)?(?:ms|s|m|h|d) ?)+(?=[\s,);]|$)/gm, "DURATION ")
      .replaceAll(/(?:\w{3} )?\d\d:\d\d, in/g, "CLOCK, in")
      .replaceAll(/\d+%/g, "N%")
      .replaceAll(/process \d+/g, "process N")
      .replaceAll(/ +(?=[,);])| +$/gm, "")
      .replaceAll(/(?<=\S) +/g, " ")
      // rsync has just begun, and cannot tell yet.
      .replaceAll(" DURATION left", "")
      .trimEnd()
  );
}

/** A director whose home is fresh, whose photos have failed, whose mail waits, and which copies just now. */
async function prepare() {
  const instance = await makeInstance(({ path }) => {
    const sync = (source: string, dest: string) => ({
      ...{ action: "sync", id: "copy", source: `${path(source)}/`, dest: path(dest), opts: ["-a"] },
    });
    return {
      rsync_id: "laptop",
      cron_schedule: "30 2 * * *",
      jobs: [
        {
          ...{ id: "home", type: "local" },
          actions: [{ ...sync("home", "mnt/disk/home"), rsync: { itemize_changes: true, bwlimit: 3000 } }],
        },
        {
          ...{ id: "mail", type: "local", actions: [sync("mail", "mnt/disk/mail")] },
          blocks_on: [{ type: "local", path: path("locks/backup01"), wait_time: "1s", timeout: "2h" }],
        },
        { id: "photos", type: "local", actions: [sync("photos", "mnt/nas/photos")] },
      ],
    };
  });
  const { path } = instance;
  for (const name of ["home", "mail", "photos", "mnt/disk"]) await mkdir(path(name), { recursive: true });
  for (const name of ["home/notes.txt", "home/letter.odt", "mail/root", "photos/gull.jpg"]) {
    await writeFile(path(name), "x".repeat(20_000));
  }
  const director = await instance.start();
  for (const job of ["home", "mail", "photos"]) await instance.cli("run", job);
  return { instance, director };
}

it("shows in docs/monitoring.md what the commands print, but for times, numbers and places", async () => {
  const { instance, director } = await prepare();
  const { path } = instance;
  const shown = shownCommands();
  const printed = new Map<string, string>();
  const print = async (command: string) => {
    const { stdout, stderr } = await instance.cli(...command.split(" "));
    printed.set(command, stdout);
    expect(stderr).toBe("");
  };
  await print("history --failed --since 1d");
  await print("history last --job photos");
  await print("history last --job home");

  // However slow the commands are, it is being copied until the test is over.
  await writeFile(path("home/film.mkv"), "");
  await truncate(path("home/film.mkv"), 2_000_000_000);
  await writeFile(path("locks/backup01"), "4711\n");
  await instance.cli("run", "home", "--detach");
  await instance.cli("run", "mail", "--detach");
  await director.waitForLine(({ msg, job }) => msg === "job waits for a lock" && job === "mail");
  await vi.waitFor(
    async () => {
      const { jobs } = JSON.parse((await instance.cli("status", "--json")).stdout) as {
        jobs: { actions: { progress: unknown }[] }[];
      };
      expect(jobs[0]?.actions[0]?.progress).not.toBeNull();
    },
    { timeout: 60_000, interval: 200 },
  );
  await print("status");
  await print("explain mail");
  await print("check --warn 26h --crit 50h");

  expect([...shown.keys()].toSorted()).toEqual([...printed.keys()].toSorted());
  for (const [command, text] of printed) {
    expect(normalise(shown.get(command) ?? "", path), command).toBe(normalise(text, path));
  }
});

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareDebian, makeBareDebian } from "../support/bare-debian.ts";
import { type BootedDebian, bootTree, whyNoBoot } from "../support/booted-debian.ts";
import { whyNoDebian } from "../support/debian-tree.ts";
import { projectRoot } from "../support/project-files.ts";
import { type ReadmeStep, readmeSteps, tableRows, withoutFigures } from "../support/readme-steps.ts";

const why = whyNoDebian() ?? whyNoBoot();
if (why !== undefined) console.warn(`SKIPPED following the README on a bare Debian: ${why}`);

/** For each part; on a machine with nothing else to do all of them together take some minutes. */
const patience = 1_800_000;

/**
 * The README's commands are read from it and run word for word, on a Debian that has nothing but systemd and Node. First in
 * the network of this host, for npm and apt; then the same tree is booted, in a network of its own, for systemd and ssh.
 * The same machine is the laptop and the backup server: it has the names of all hosts.
 */
describe.skipIf(why !== undefined)("the README, followed word for word on a bare Debian", { timeout: patience }, () => {
  let readme: string;
  let bare: BareDebian;
  let booted: BootedDebian | undefined;
  const timings: string[] = [];

  beforeAll(async () => {
    readme = await readFile(join(projectRoot, "README.md"), "utf8");
    bare = await timed("a bare Debian", makeBareDebian);
  }, patience);
  afterAll(async () => {
    await (booted === undefined ? bare?.remove() : booted.stop());
    console.log(`the README took:\n  ${timings.join("\n  ")}`);
  });

  async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await work();
    timings.push(`${((performance.now() - from) / 1000).toFixed(1)} s  ${what}`);
    return result;
  }

  /** Does all of a section, with `run` for its commands, and compares what is shown with what is printed. */
  async function follow(section: string, run: (command: string, step: ReadmeStep) => Promise<string>): Promise<number> {
    const steps = readmeSteps(readme).filter((step) => step.section === section);
    for (const step of steps) {
      const { does } = step;
      if (does.kind === "write") {
        const file = join(bare.root, does.file);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, does.text, { mode: 0o640 });
        continue;
      }
      const printed = await timed(does.command, () => run(does.command, step));
      if (does.shows === undefined) continue;
      expect
        .soft(withoutFigures(printed), `README.md:${step.line}: ${does.command}\n${printed}`)
        .toBe(withoutFigures(does.shows));
    }
    return steps.length;
  }

  it("shows the demo, and tests", async () => {
    await bare.run(
      "! command -v rsync && ! command -v sshd && ! command -v ssh && ! command -v git && ! test -e ~/.npm",
    );
    const steps = await follow("See it work", async (command) => {
      // All of them would take as long again as they just did, wherever this test runs; a part shows that they can be run.
      const printed = await bare.run(
        command.startsWith("npm test") ? command.replace("npm test", "npm test -- test/unit/base") : command,
      );
      expect(printed).toMatch(command.startsWith("npm test") ? /Tests +\d+ passed/ : /The demo is good/);
      return printed;
    });
    expect(steps).toBe(2);
  });

  it("installs the package", async () => {
    // To compress it well takes longer than all the rest together, and is dpkg's own work.
    const quickly = (command: string) => command.replace("package:deb", "package:deb -- --compression fast");
    await follow("Install", (command) => bare.run(process.env["CI"] === undefined ? command : quickly(command)));
    // systemd-nspawn may have a word to add.
    const status = await bare.run("dpkg-query -W -f '${Status}\\n' rsyncdirector");
    expect(status.split("\n")).toContain("install ok installed");
  });

  it("runs a first job", async () => {
    await rm(join(bare.root, "usr/sbin/policy-rc.d"));
    // What the package brought has to do without the Node of this test.
    await rm(join(bare.root, "usr/local/bin/node"));
    booted = await timed("booting it", () => bootTree(bare.scratch));
    await beEveryHost(booted);
    await booted.run("useradd --create-home ann && echo text > /home/ann/letter.txt");
    await follow("The first job", (command) => asReader(booted as BootedDebian, command));
    expect(await booted.run("cat /srv/laptop/home/ann/letter.txt")).toBe("text");
    expect(await booted.run("systemctl is-active rsyncdirector@laptop")).toBe("active");
  });

  it("answers every day's questions", async () => {
    for (const [purpose = "", how = ""] of tableRows(readme, "Every day")) {
      const command = /^`([^`]+)`/.exec(how)?.[1];
      if (command === undefined) continue;
      const [left] = Object.entries(leftOut).filter(([start]) => command.startsWith(start));
      if (left !== undefined) {
        console.log(`not run: ${command}: ${left[1]}`);
        continue;
      }
      const filled = command
        .replace("--config …", "--config /etc/rsyncdirector/laptop.yaml")
        .replace(/\bJOB\b/, "home")
        .replace(/\bRUN\b/, "last")
        .replace(
          "laptop=laptop.yaml backup01=backup.yaml",
          "laptop=/etc/rsyncdirector/laptop.yaml backup01=/etc/rsyncdirector/backup01.yaml",
        );
      const { exitCode, output } = await timed(filled, () => (booted as BootedDebian).attempt(filled));
      expect({ purpose, filled, exitCode, output }).toMatchObject({
        exitCode: 0,
        output: expect.stringMatching(/\S/),
      });
    }
  });
});

/** Rows of the table that need what a first job has not brought about. */
const leftOut: Readonly<Record<string, string>> = {
  "rsyncdirector logs -f": "it follows for ever",
  "rsyncdirector cancel": "no run is under way",
  "rsyncdirector locks break": "no lock is left to break",
  "rsyncdirector changes": "the job does not track its changes",
  "rsyncdirector import": "there is no file of another program",
};

/** The machine gets the names of all hosts of the README. */
async function beEveryHost(debian: BootedDebian): Promise<void> {
  const names = ["backup01.example.com", "backup-remote.example.com"];
  await debian.run(`
    hostname laptop
    echo '127.0.0.1 localhost laptop ${names.join(" ")}' > /etc/hosts
    systemctl start ssh
  `);
  // At the question of ssh a reader compares the fingerprint, and answers.
  await debian.write(
    "/usr/local/bin/compare-fingerprint",
    `#!/bin/sh\ncase $1 in *"$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)"*) echo yes ;; *) echo no ;; esac\n`,
    0o755,
  );
}

/** Runs a command as it stands, and does at the keyboard what the README says beside it. */
async function asReader(debian: BootedDebian, command: string): Promise<string> {
  const answers = "export SSH_ASKPASS=/usr/local/bin/compare-fingerprint SSH_ASKPASS_REQUIRE=force";
  const printed = await debian.run(`${answers}\n${command}`);
  if (command.startsWith("cat ") && command.includes(".pub")) {
    await debian.write("/root/.ssh/authorized_keys", `${printed}\n`, 0o600);
  }
  return printed;
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ContainerLab, type Director, openContainerLab, whyNoContainers } from "../support/container-lab.ts";
import { codeBlocks } from "../support/markdown.ts";
import { readProjectFile } from "../support/project-files.ts";

const why = whyNoContainers();
if (why !== undefined) console.warn(`SKIPPED the image and the scenario on containers: ${why}`);

/** As docs/containers.md has it. */
const hardened = [
  ...["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
  ...["--tmpfs", "/tmp", "--tmpfs", "/run/rsyncdirector:uid=10001,gid=10001"],
];
const readsEverything = [
  ...["--user", "root", "--env", "RSYNCDIRECTOR_READ_EVERYTHING=yes"],
  ...["--cap-add", "DAC_READ_SEARCH", "--cap-add", "SETUID", "--cap-add", "SETGID"],
];
const seen = { timeout: 120_000, interval: 200 };

describe.skipIf(why !== undefined)("the image", () => {
  let lab: ContainerLab;
  beforeAll(async () => {
    lab = await openContainerLab();
    // A Debian has to be made first, once a day, and two images of it.
  }, 1_200_000);
  afterAll(() => lab?.close());

  it("is small, and runs whatever it is told as an account of its own", async () => {
    const { image, base } = await lab.sizes();
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    console.log(`the image has ${megabytes(image)} MB, of which its base ${megabytes(base)} MB`);
    expect(image - base).toBeLessThan(250e6);
    expect(await lab.once("id", "-un")).toBe("rsyncdirector");
    expect(await lab.once("rsyncdirector", "--version")).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await lab.once("which", "rsync", "ssh", "flock", "setpriv")).toBe(
      "/usr/bin/rsync\n/usr/bin/ssh\n/usr/bin/flock\n/usr/bin/setpriv",
    );
    expect(await lab.once("sh", "-euc", "ls -A /etc/rsyncdirector; ! test -e /etc/machine-id")).toBe("");
  });

  it("is healthy when the director is ready, not before, and not while it hangs", async () => {
    const listen = "/usr/lib/rsyncdirector/bin/node -e 'require(`net`).createServer().listen(9090)'";
    const occupant = await lab.run([], ["sh", "-c", `${listen}; exec sleep infinity`]);
    const impatient = ["--health-interval", "1s", "--health-retries", "1", "--health-start-period", "1s"];
    const director = await lab.startDirector({
      options: ["--network", `container:${occupant.id}`, ...impatient],
      config: {
        metrics: { startup_timeout_seconds: 600, startup_retry_wait_seconds: 1, startup_retry_limit: 1000 },
      },
    });
    await expect.poll(() => director.logs(), seen).toContain("metrics address is not free yet");
    await expect.poll(() => director.health(), seen).toBe("unhealthy");
    await occupant.exec("sh", "-c", "kill -KILL $(pidof node)");
    await expect.poll(() => director.health(), seen).toBe("healthy");
    const signal = (name: string) =>
      director.exec("sh", "-c", `kill -${name} $(cat /run/rsyncdirector/rsyncdirector-demo.pid)`);
    await signal("STOP");
    await expect.poll(() => director.health(), seen).toBe("unhealthy");
    await signal("CONT");
    await expect.poll(() => director.health(), seen).toBe("healthy");
  });

  it("runs the jobs on SIGHUP, without root, capabilities or anything to write to but its volumes", async () => {
    const director = await lab.startDirector({ options: hardened });
    await director.untilReady();
    expect(await director.exec("sh", "-c", "cat /proc/1/comm; id -un; id -Gn; grep CapEff /proc/1/status")).toBe(
      "tini\nrsyncdirector\nrsyncdirector\nCapEff:\t0000000000000000",
    );
    await director.signal("HUP");
    await expect.poll(() => director.read("copy/file"), seen).toBe("one\n");
    expect(await director.stop()).toBe(0);
    expect(await director.logs()).toContain("director stopped");
  });

  it("reaps what the processes of its jobs leave behind, which the director as process 1 would not", async () => {
    const orphan = { action: "command", id: "orphan", command: "/bin/sh", args: ["-c", "sleep 1 & exit 0"] };
    const config = { jobs: [{ id: "leaves", type: "local", actions: [orphan] }] };
    const [director, bare] = await Promise.all([
      lab.startDirector({ config }),
      lab.startDirector({ config, options: ["--entrypoint", "rsyncdirector"], command: ["start"] }),
    ]);
    const zombies = (of: Director) => of.exec("sh", "-c", "grep -l '^State:.Z' /proc/[0-9]*/status || true");
    for (const one of [bare, director]) {
      await one.untilReady();
      await one.signal("HUP");
      await expect.poll(() => one.logs(), seen).toContain("run finished");
    }
    await expect.poll(() => zombies(bare), seen).toMatch(/status$/);
    await expect.poll(() => zombies(director), seen).toBe("");
  });

  it("stops in the middle of a sync, in good order and in time, and gives the locks back", async () => {
    const director = await lab.startDirector({ options: hardened });
    await director.untilReady();
    await director.write("source/large", "x".repeat(60_000_000));
    await director.signal("HUP");
    await expect.poll(() => director.list("locks"), seen).toContain("copy");
    await expect
      .poll(() => director.list("copy"), seen)
      .toEqual(expect.arrayContaining([expect.stringMatching(/^\.large\./)]));
    expect(await director.stop()).toBe(0);
    expect(await director.list("locks")).not.toContain("copy");
    expect(await director.list("copy")).not.toContain("large");
  });

  it("reads what only root may read, without being root, where it is told to", async () => {
    const director = await lab.startDirector({ options: [...hardened, ...readsEverything, "--health-interval", "1s"] });
    await director.untilReady();
    await director.write("source/secret", "only root may read this\n", { owner: 0, mode: 0o600 });
    await director.signal("HUP");
    await expect.poll(() => director.read("copy/secret"), seen).toBe("only root may read this\n");
    expect(await director.exec("sh", "-c", "cat /proc/$(pidof -s node)/status | grep -E '^(Uid|CapEff)'")).toMatch(
      /^Uid:\t10001\t10001\t10001\t10001\nCapEff:\t0000000000000004$/,
    );
    await expect.poll(() => director.health(), seen).toBe("healthy");
    // As root one may neither ask it nor signal it: docs/containers.md says how.
    expect(await director.exec("rsyncdirector", "status").catch(() => "refused")).toBe("refused");
    expect(await director.execAs("rsyncdirector", "rsyncdirector", "status")).toContain("copy");
    expect(await director.stop()).toBe(0);
  });

  it("ends with 78 and says why when it cannot do what it is told", async () => {
    const wrong = await lab.startDirector({ config: { jobs: [{ id: "copy", type: "remot" }] } });
    expect(await wrong.untilEnded()).toBe(78);
    expect(await wrong.logs()).toContain('jobs[0].type: must be one of local, remote; got "remot"');
    const powerless = await lab.startDirector({ options: ["--env", "RSYNCDIRECTOR_READ_EVERYTHING=yes"] });
    expect(await powerless.untilEnded()).toBe(78);
    expect(await powerless.logs()).toContain("needs --user root");
  });

  it("is described with compose files that compose takes", async () => {
    const examples = codeBlocks(readProjectFile("docs/containers.md")).filter(({ text }) => /^services:/m.test(text));
    expect(examples.length).toBeGreaterThan(0);
    for (const { text } of examples) {
      await writeFile(join(lab.project, "example.yaml"), text);
      const { exitCode, output } = await lab.compose("-f", "example.yaml", "config", "--quiet");
      expect({ exitCode, output }).toEqual({ exitCode: 0, output: "" });
    }
  });

  it("plays the scenario: equal copies, no two writers at once, and Prometheus sees both", async () => {
    const { exitCode, output } = await lab.playScenario();
    console.log(
      output
        .split("\n")
        .filter((line) => /^test_1 +\|/.test(line))
        .join("\n"),
    );
    expect(exitCode, output).toBe(0);
    expect(output).toContain("the scenario holds");
  });

  it("fails the scenario when nobody waits for the other", async () => {
    for (const name of ["laptop01", "backup01"]) {
      const file = join(lab.project, `test/compose/${name}.yaml`);
      const text = await readFile(file, "utf8");
      expect(text).toMatch(/^ +blocks_on: .*$/m);
      await writeFile(file, text.replace(/^ +blocks_on: .*\n/m, ""));
    }
    const { exitCode, output } = await lab.playScenario();
    expect(exitCode).toBe(1);
    expect(output).toContain("FAILED no two writers met");
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { type BootedDebian, bootDebian, whyNoBoot } from "../support/booted-debian.ts";
import { buildPackage, installPackage } from "../support/debian-package.ts";
import {
  makeVault,
  type PackagedInstance,
  pushUnit,
  rootUnit,
  startPackagedInstance,
} from "../support/packaged-instance.ts";

const why = whyNoBoot();
if (why !== undefined) console.warn(`SKIPPED sleep under a real logind: ${why}`);

describe.skipIf(why !== undefined)("sleep, under a real logind", () => {
  let scratch: string;
  let debian: BootedDebian;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "rsyncdirector-sleep-"));
    const [made, booted] = await Promise.allSettled([buildPackage(scratch), bootDebian()]);
    if (booted.status === "rejected") throw booted.reason;
    debian = booted.value;
    if (made.status === "rejected") throw made.reason;
    await installPackage(debian, made.value);
    await makeVault(debian);
  });
  afterAll(async () => {
    await debian?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  /** Who puts it off, for which account and why, one line each. */
  const inhibitors = "COLUMNS=300 systemd-inhibit --list --no-pager --no-legend";
  const isListed = ({ name }: PackagedInstance, account: string) =>
    `${inhibitors} | grep -qE '^rsyncdirector \\(${name}\\) +[0-9]+ +${account} .* sleep +running: copy +block'`;
  const isNotListed = ({ name }: PackagedInstance) => `! ${inhibitors} | grep -qF 'rsyncdirector (${name})'`;
  const refusal = /Access denied|Interactive authentication required/;
  const debug = { logging: [{ type: "stdout", level: "debug", format: "json" }] };

  it.each([rootUnit, pushUnit])("is put off by $template@ while a job works, and no longer", async (kind) => {
    const instance = await startPackagedInstance(debian, kind, { name: `awake-${kind.account}`, port: 9310 });
    await debian.run(isNotListed(instance));
    await instance.startLongRun();
    await debian.until(isListed(instance, kind.account));
    await debian.run(`kill -KILL ${await instance.show("MainPID")}`);
    await debian.until(isNotListed(instance));
    await debian.until(`systemctl is-active ${instance.unit} && ! test -e ${instance.lock}`);
    await instance.endLongRun();
    await instance.startLongRun();
    await debian.until(isListed(instance, kind.account));
    await instance.endLongRun();
    await debian.run(`systemctl stop ${instance.unit}`);
    expect(await debian.run(inhibitors)).not.toContain(instance.name);
    // What lives beside the jobs has to start in the sandbox of both units.
    expect(await instance.journal()).not.toMatch(/setpriv|no shared ssh connection/);
  });

  it("goes its own way where logind refuses, or is not there, and jobs run all the same", async () => {
    await debian.run("rm /usr/share/polkit-1/rules.d/rsyncdirector.rules; systemctl restart polkit");
    const refused = await startPackagedInstance(debian, pushUnit, { name: "refused", port: 9311, more: debug });
    await refused.startLongRun();
    const told = ({ unit }: PackagedInstance) => `journalctl -o cat -u ${unit} | grep 'sleep is not put off'`;
    await debian.until(told(refused));
    expect(await debian.run(told(refused))).toMatch(refusal);
    const doctor = "runuser -u vault -- rsyncdirector doctor localhost --config /srv/vault/doctor.yaml";
    const config = {
      rsync_id: "doctor",
      jobs: [{ id: "a", type: "local", actions: [{ action: "command", id: "a", command: "true" }] }],
    };
    await debian.write("/srv/vault/doctor.yaml", stringify(config));
    const asked = (await debian.attempt(doctor)).output;
    expect(asked).toMatch(/warning +sleep +is not put off while jobs work: /);
    expect(asked).toMatch(refusal);
    expect(await debian.run(doctor.replace("runuser -u vault -- ", ""))).toMatch(
      /ok +sleep +is put off while jobs work/,
    );

    await debian.run("systemctl mask --runtime --now systemd-logind");
    const without = await startPackagedInstance(debian, rootUnit, { name: "without", port: 9312, more: debug });
    await without.startLongRun();
    await debian.until(told(without));
    expect((await debian.attempt(doctor)).output).toMatch(/ok +sleep +is not put off while jobs work: /);
    for (const instance of [refused, without]) {
      await instance.endLongRun();
      await debian.run(`systemctl stop ${instance.unit}`);
      expect(await instance.show("Result")).toBe("success");
    }
  });
});

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { DesiredHost } from "../../../src/deploy/desired.ts";
import { factsScript, readHostFacts } from "../../../src/deploy/facts.ts";
import { planHost } from "../../../src/deploy/plan.ts";
import { fingerprintOf } from "../../../src/deploy/plan-known-hosts.ts";
import type { PlanContext } from "../../../src/deploy/plan-step.ts";

const content = Buffer.from("rsync_id: laptop\n");
const sum = createHash("sha256").update(content).digest("hex");
const blob = "AAAAC3NzaC1lZDI1NTE5AAAAIBiSq5wDpBC4GGKRzQmYMRIhxBXpNYbLEo7n3iRRP5vK";
const base64 = (text: string) => Buffer.from(text).toString("base64");

const desired: DesiredHost = {
  name: "laptop01",
  accounts: [{ name: "director", groups: ["readers"] }],
  directories: [{ path: "/backup", owner: "copies", group: "copies", mode: "750" }],
  program: { kind: "npm", file: "package.tgz", sha256: "5".repeat(64) },
  files: [
    {
      ...{ path: "/etc/rsyncdirector/laptop.yaml", owner: "root", group: "director", mode: "640", content },
      ...{ keepsOld: true, check: "check", instance: "laptop" },
    },
    { path: "/etc/systemd/system/x.conf", owner: "root", group: "root", mode: "644", content, unit: true },
  ],
  keys: [{ path: "/key", account: "director" }],
  knownHosts: [{ account: "director", file: undefined, host: "backup01", port: 2222 }],
  grants: [
    {
      account: "director",
      from: { host: "other", key: "/key" },
      rights: { readOnly: [], write: ["/in"], locks: [], deletes: true, plainLinks: false },
    },
  ],
  instances: [{ name: "laptop", account: "director", config: "/etc/rsyncdirector/laptop.yaml", envFile: undefined }],
};

/** What a host answers on which everything is as it should be. */
const good = [
  "os debian",
  ...["apt-get", "rsync", "ssh", "flock", "runuser", "npm"].map((tool) => `tool ${tool}`),
  "uid 0",
  "node v20.20.0",
  "systemd yes",
  `program ${"5".repeat(64)}`,
  "account director /bin/sh director readers",
  "path 0 directory copies copies 750",
  `path 1 file root director 640 ${sum}`,
  `path 2 file root root 644 ${sum}`,
  `path 3 file director director 600 ${"0".repeat(64)}`,
  `public 0 ${base64(`ssh-ed25519 ${blob} director@laptop01\n`)}`,
  `keys 0 ${base64(
    `restrict,command="/bin/sh /usr/local/lib/rsyncdirector/gate.sh --write /in" ssh-ed25519 ${blob} other\n`,
  )}`,
  "known 0",
  "enabled laptop",
  "active laptop",
];

const context: PlanContext = {
  publicKey: () => `ssh-ed25519 ${blob} other`,
  accepted: new Set(),
  stamp: "20260101T000000Z",
  packageBytes: () => Buffer.from("package"),
};

/** The plan for a good host on which these lines are different (undefined: missing). */
function planWith(changes: Record<string, string | undefined>, more: Partial<PlanContext> = {}) {
  const lines = good.map((line) => {
    const change = Object.keys(changes).find((start) => line.startsWith(start));
    return change === undefined ? line : (changes[change] ?? "");
  });
  return planHost(desired, readHostFacts(lines.join("\n"), desired), { ...context, ...more });
}

describe("the plan for a host", () => {
  it("is empty where everything is as it should be", () => {
    expect(planWith({})).toEqual({ steps: [], obstacles: [], notes: [] });
  });

  it.each([
    ["a missing tool", { "tool rsync": undefined }, "+ packages rsync (by apt-get)"],
    ["no account", { account: undefined }, "+ account director, home /var/lib/director"],
    ["an account without its group", { account: "account director /bin/sh director" }, "~ account director in readers"],
    ["no directory", { "path 0": "path 0 absent" }, "+ directory /backup: copies:copies 750"],
    [
      "another mode",
      { "path 0": "path 0 directory root copies 755" },
      "~ directory /backup: owner root → copies, mode 755 → 750",
    ],
    ["a link in its place", { "path 0": "path 0 link" }, "~ directory /backup: copies:copies 750, where a link is"],
    ["another package", { program: `program ${"6".repeat(64)}` }, "~ program of package.tgz (555555555555)"],
    [
      "another content",
      { "path 1": `path 1 file root director 640 ${"0".repeat(64)}` },
      `~ file /etc/rsyncdirector/laptop.yaml: content 000000000000 → ${sum.slice(0, 12)}`,
    ],
    ["a key without its public half", { public: undefined }, "+ key pair /key (ed25519) of director"],
    ["no line for another's key", { keys: undefined }, "+ authorized_keys of director:"],
    ["a unit that is not enabled", { enabled: undefined }, "+ enable and start rsyncdirector@laptop"],
    [
      "something that changed before a crash",
      { "enabled laptop": "enabled laptop\nrestart laptop" },
      "~ start rsyncdirector@laptop anew",
    ],
  ])("has one step: %s", (_, changes, expected) => {
    const { steps, obstacles } = planWith(changes);
    expect(steps.map(({ sign, what }) => `${sign} ${what.split("\n")[0]}`)).toContain(expected);
    expect(obstacles).toEqual([]);
  });

  it.each([
    ["no root", { uid: "uid 1000" }, "is not root"],
    ["an old node", { program: undefined, node: "node v18.19.0" }, "there: v18.19.0"],
    [
      "an account that cannot start anything",
      { account: "account director /usr/sbin/nologin director readers" },
      "starts nothing",
    ],
    ["a host that does not answer", { known: undefined }, "does not answer a scan"],
    ["a key that nobody confirmed", { known: `scan 0 ssh-ed25519 ${blob}` }, "nobody has confirmed"],
    ["a key that is let in already", { keys: `keys 0 ${base64(`ssh-ed25519 ${blob}\n`)}` }, "without a gate"],
  ])("is stopped by %s", (_, changes, expected) => {
    expect(
      planWith(changes)
        .obstacles.map(({ what }) => what)
        .join(),
    ).toContain(expected);
  });

  it("files those keys alone that were confirmed", () => {
    const other = `${blob.slice(0, -2)}vL`;
    const accepted = new Set([fingerprintOf({ type: "ssh-ed25519", blob })]);
    const changes = { known: `scan 0 ssh-ed25519 ${blob}\nscan 0 ssh-rsa ${other}` };
    const { steps, obstacles } = planWith(changes, { accepted });
    expect(obstacles).toEqual([]);
    expect(steps.map(({ input }) => input?.toString())).toEqual([`[backup01]:2222 ssh-ed25519 ${blob}\n`]);
  });

  it("leaves units alone where systemd does not run, and says so", () => {
    const { steps, notes } = planWith({ systemd: undefined, "path 2": "path 2 absent", enabled: undefined });
    expect(steps).toEqual([]);
    expect(notes.join()).toContain("systemd does not run here");
  });

  it("waits for keys that are not there yet", () => {
    const { steps, notes } = planWith({ keys: undefined }, { publicKey: () => undefined });
    expect(steps).toEqual([]);
    expect(notes.join()).toContain("as soon as it is there");
  });

  it("never contains a file's content", () => {
    const { steps } = planWith({ "path 1": "path 1 absent" });
    expect(JSON.stringify(steps.map(({ what, call }) => ({ what, call })))).not.toContain("rsync_id");
  });

  it("asks for what it needs with every word quoted", () => {
    const odd = { ...desired, directories: [{ path: "/it's", owner: "root", group: "root", mode: "755" }] };
    expect(factsScript(odd)).toContain(`rd_see_path '0' '/it'\\''s'`);
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findMissingFiles } from "../../../src/config/check-files.ts";
import { inspectConfig } from "../../../src/config/load.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const text = `
rsync_id: x
ssh:
  known_hosts_file: /k/hosts
defaults:
  identity_file: /k/shared
jobs:
  - id: a
    type: remote
    host: nas
    port: 2022
    private_key_path: /k/own key
    lock_files:
      - { type: remote, path: /l/a, private_ssh_key: /k/lock }
    actions: [{ action: command, id: c, command: "true" }]
  - id: b
    type: remote
    host: nas
    lock_files: [{ type: remote, path: /l/b }]
    actions: [{ action: command, id: c, command: "true" }]
`;

test("files that are missing are named once, with the key that names them and what makes them", async () => {
  const file = join(await makeTempDir(), "x.yaml");
  await writeFile(file, text, { mode: 0o600 });
  const { config, find } = await inspectConfig(file, { env: {} });
  if (config === undefined) throw new Error("the sample is wrong");
  const missing = findMissingFiles(config, find, () => false);
  expect(missing.map(({ line, path, remedy }) => ({ line, path, remedy }))).toEqual([
    {
      ...{ line: 12, path: "jobs[0].private_ssh_key" },
      remedy: "ssh-keygen -t ed25519 -N '' -f '/k/own key' && ssh-copy-id -i '/k/own key'.pub -p 2022 nas",
    },
    {
      ...{ line: 4, path: "ssh.known_hosts_file" },
      remedy: "ssh-keyscan -p 2022 nas >> /k/hosts, and compare the fingerprint",
    },
    {
      ...{ line: 14, path: "jobs[0].lock_files[0].private_ssh_key" },
      remedy: "ssh-keygen -t ed25519 -N '' -f /k/lock && ssh-copy-id -i /k/lock.pub -p 2022 nas",
    },
    {
      ...{ line: 6, path: "defaults.private_ssh_key" },
      remedy: "ssh-keygen -t ed25519 -N '' -f /k/shared && ssh-copy-id -i /k/shared.pub nas",
    },
  ]);
  expect(findMissingFiles(config, find, () => true)).toEqual([]);
});

test("the keys of every target are looked for", async () => {
  const file = join(await makeTempDir(), "x.yaml");
  await writeFile(
    file,
    `
rsync_id: x
jobs:
  - id: a
    type: remote
    private_ssh_key: /k/job
    targets:
      - host: near
      - { host: far, private_ssh_key: /k/far }
    actions: [{ action: command, id: c, command: "true" }]
`,
    { mode: 0o600 },
  );
  const { config, find } = await inspectConfig(file, { env: {} });
  if (config === undefined) throw new Error("the sample is wrong");
  expect(findMissingFiles(config, find, () => false).map(({ line, path }) => ({ line, path }))).toEqual([
    { line: 6, path: "jobs[0].private_ssh_key" },
    { line: 9, path: "jobs[0].targets[1].private_ssh_key" },
  ]);
});

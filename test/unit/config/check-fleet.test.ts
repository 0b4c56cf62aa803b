import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFleet } from "../../../src/config/check-fleet.ts";
import type { FleetMember } from "../../../src/config/fleet.ts";
import { inspectConfig } from "../../../src/config/load.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

interface File {
  /** Names of its host; without them `rsync_id` is taken for one. */
  hosts?: string[];
  top?: Record<string, unknown>;
  jobs: Record<string, unknown>[];
}

const action = { action: "command", id: "c", command: "true" };
const local = (path: string, more = {}) => ({ type: "local", path, ...more });
const remote = (host: string, path: string, more = {}) => ({ type: "remote", host, path, ...more });
const job = (id: string, takes: unknown[], waits: unknown[] = [], more = {}) => ({
  ...{ id, type: "local", schedule: "0 3 * * *", lock_files: takes, blocks_on: waits, actions: [action] },
  ...more,
});

/** Findings as `level kind FILE:LINE KEY: message`; JSON is YAML, with one key of a job on each line. */
async function check(files: Record<string, File>) {
  const directory = await makeTempDir();
  const members: FleetMember[] = [];
  for (const [name, { hosts = [], top = {}, jobs }] of Object.entries(files)) {
    const file = join(directory, `${name}.yaml`);
    await writeFile(file, JSON.stringify({ rsync_id: name, ...top, jobs }, undefined, 1), { mode: 0o600 });
    const { config, problems, find } = await inspectConfig(file, { env: {} });
    if (config === undefined) throw new Error(problems.map(({ message }) => message).join("\n"));
    members.push({
      config,
      hosts: hosts.length > 0 ? hosts : [config.rsyncId],
      hostIsCertain: hosts.length > 0,
      find,
    });
  }
  const findings = checkFleet(members);
  const short = (text: string) => text.replaceAll(`${directory}/`, "");
  return findings.map(({ level, kind, file, line, path, message, remedy }) => ({
    ...{ level, kind, place: short(`${file}:${line}`), key: path, message: short(message), remedy: short(remedy) },
  }));
}

const L = "/run/locks";

describe("one-sided waits", () => {
  test("are named with both jobs, both places and the lock that is missing", async () => {
    const [finding, ...others] = await check({
      laptop: { jobs: [job("home", [local(`${L}/laptop`)], [remote("nas", `${L}/nas`)])] },
      nas: { jobs: [job("nightly", [local(`${L}/nas`)])] },
    });
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ level: "warning", kind: "one-sided", key: "jobs[0].blocks_on[0]" });
    expect(finding?.place).toMatch(/^laptop.yaml:\d+$/);
    expect(finding?.message).toMatch(/job home waits for nas:\/run\/locks\/nas of job nightly \(nas.yaml:4\)/);
    expect(finding?.remedy).toContain("add laptop:/run/locks/laptop to blocks_on of job nightly");
  });

  test("are fine when the other side waits too, or when both take one and the same lock", async () => {
    const mutual = await check({
      laptop: { jobs: [job("home", [local(`${L}/laptop`)], [remote("nas", `${L}/nas`)])] },
      nas: { jobs: [job("nightly", [local(`${L}/nas`)], [remote("laptop", `${L}//laptop`)])] },
    });
    const mutex = await check({
      laptop: { jobs: [job("home", [remote("nas", `${L}/data`)], [remote("nas", `${L}/data`)])] },
      nas: { jobs: [job("nightly", [local(`${L}/data`)])] },
    });
    expect([mutual, mutex]).toEqual([[], []]);
  });

  test("for locks that nobody here makes say nothing", async () => {
    expect(await check({ laptop: { jobs: [job("home", [], [remote("store", `${L}/x`)])] } })).toEqual([]);
  });

  test("are not told of jobs that one run takes in turn, nor of disabled ones", async () => {
    const inTurn = { schedule: undefined };
    const jobs = [job("a", [local(`${L}/a`)], [], inTurn), job("b", [], [local(`${L}/a`)], inTurn)];
    expect(await check({ laptop: { top: { cron_schedule: "0 3 * * *" }, jobs } })).toEqual([]);
    const disabled = [job("a", [local(`${L}/a`)], [], { enabled: false }), job("b", [], [local(`${L}/a`)])];
    expect(await check({ laptop: { jobs: disabled } })).toEqual([]);
  });

  test("that lead around in a circle are one finding", async () => {
    const in_ = (own: string, other: string) => job(own, [local(`${L}/${own}`)], [remote(other, `${L}/${other}`)]);
    const findings = await check({
      a: { jobs: [in_("a", "b")] },
      b: { jobs: [in_("b", "c")] },
      c: { jobs: [in_("c", "a")] },
    });
    expect(findings.map(({ kind }) => kind)).toEqual(["circle"]);
    expect(findings[0]?.message).toMatch(/job a \(a.yaml:4\) → job b \(b.yaml:4\) → job c \(c.yaml:4\) → job a/);
  });
});

describe("hosts", () => {
  test("are told by the names that somebody gave, by ports too", async () => {
    const files = (hosts: string[]) => ({
      laptop: { jobs: [job("home", [], [remote("gate.example", `${L}/nas`, { port: 2201 })])] },
      nas: { hosts, jobs: [job("nightly", [local(`${L}/nas`)])] },
    });
    expect(await check(files(["nas"]))).toEqual([]);
    const kinds = (await check(files(["nas", "gate.example:2201"]))).map(({ kind }) => kind);
    expect(kinds).toEqual(["one-sided"]);
  });

  test("in two spellings are told, and so is a lock of the own host that is given as remote", async () => {
    const findings = await check({
      nas: { hosts: ["nas"], jobs: [job("own", [remote("nas", `${L}/data`)])] },
      laptop: { jobs: [job("home", [remote("nas.example", `${L}/data`)])] },
      desk: { jobs: [job("desk", [remote("NAS", `${L}/data`)])] },
    });
    expect(findings.map(({ kind, place }) => `${kind} ${place.split(":")[0]}`)).toEqual([
      "spelling nas.yaml",
      "spelling laptop.yaml",
      "spelling desk.yaml",
    ]);
    expect(findings[0]?.remedy).toBe("write type: local");
  });

  test("are not taken from an rsync_id that is the name of a host the file itself reaches", async () => {
    const findings = await check({
      nas: { jobs: [job("home", [local(`${L}/data`)], [remote("nas", `${L}/other`)])] },
      desk: { jobs: [job("desk", [remote("nas", `${L}/other`)])] },
    });
    expect(findings.map(({ kind }) => kind)).toEqual(["one-sided"]);
    expect(findings[0]?.remedy).toContain("add the host of nas.yaml:/run/locks/data to blocks_on of job desk");
  });

  test("where nobody makes the lock, while another host has one of that name, are a probable slip", async () => {
    const findings = await check({
      laptop: { jobs: [job("home", [], [local(`${L}/data`)])] },
      nas: { jobs: [job("nightly", [local(`${L}/data`)])] },
    });
    expect(findings.map(({ kind }) => kind)).toEqual(["elsewhere"]);
    expect(findings[0]?.message).toContain("nobody here makes laptop:/run/locks/data, but job nightly");
  });
});

describe("names", () => {
  test("of one lock that are companions of another's are errors, and a hold file is there for ever", async () => {
    const findings = await check({
      nas: { jobs: [job("nightly", [local(`${L}/data`)])] },
      laptop: {
        jobs: [job("a", [], [remote("nas", `${L}/data.hold`)]), job("b", [remote("nas", `${L}/data.broken.x`)])],
      },
    });
    expect(findings.map(({ level, kind, key }) => `${level} ${kind} ${key}`)).toEqual([
      "error companion jobs[0].blocks_on[0]",
      "error companion jobs[1].lock_files[0]",
    ]);
    expect(findings[0]?.message).toContain("there for ever");
  });

  test("that the original makes must not be in our lock_files", async () => {
    const findings = await check({
      laptop: { jobs: [job("home", [], [remote("nas", `${L}/py`, { peer: "legacy" })])] },
      nas: { jobs: [job("nightly", [local(`${L}/py`)])] },
    });
    expect(findings.map(({ level, kind }) => `${level} ${kind}`)).toContain("error legacy-peer");
  });
});

test("different leases and different accounts for one lock are told once", async () => {
  const findings = await check({
    laptop: { jobs: [job("a", [remote("nas", `${L}/d`, { user: "backup" })])] },
    desk: {
      top: { lock: { ttl: "20m", heartbeat: 40 } },
      jobs: [job("b", [remote("nas", `${L}/d`, { user: "root" })])],
    },
  });
  expect(findings.map(({ kind, place }) => `${kind} ${place.split(":")[0]}`)).toEqual([
    "accounts desk.yaml",
    "lease desk.yaml",
  ]);
  expect(findings[1]?.message).toContain(
    "ttl 1200 s, heartbeat 40 s, job a (laptop.yaml:4) with ttl 600 s, heartbeat 30 s",
  );
});

describe("starvation", () => {
  const own = [local(`${L}/nas`)];
  test("by a job that starts all the time and queues is told; concurrency: forbid is the cure", async () => {
    const files = (concurrency: string) => ({
      nas: { jobs: [job("often", own, [], { schedule: "*/2 * * * *", concurrency })] },
      laptop: { jobs: [job("home", [remote("nas", `${L}/nas`)])] },
    });
    const [finding, ...others] = await check(files("queue"));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ kind: "starvation", key: "jobs[0].schedule" });
    expect(finding?.message).toMatch(/every 2 minutes and queues.*job home \(laptop.yaml:4\)/);
    expect(await check(files("forbid"))).toEqual([]);
  });

  test("between two that may take turns is told unless a timeout tells somebody", async () => {
    const hourly = { schedule: "30 * * * *" };
    const files = (more = {}) => {
      const waits = [remote("a", `${L}/a`, more), remote("b", `${L}/b`, more)];
      const back = [remote("nas", `${L}/nas`)];
      return {
        nas: { jobs: [job("clean", own, waits)] },
        a: { jobs: [job("a", [local(`${L}/a`)], back, hourly)] },
        b: { jobs: [job("b", [local(`${L}/b`)], back, hourly)] },
      };
    };
    const [finding, ...others] = await check(files());
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ kind: "starvation", key: "jobs[0].blocks_on" });
    expect(await check(files({ timeout: "6h" }))).toEqual([]);
  });

  test("by a command that runs a job which needs the lock of its own job is a deadlock", async () => {
    const inner = { action: "command", id: "c", command: "/usr/bin/rsyncdirector run second" };
    const findings = await check({ nas: { jobs: [job("first", own, [], { actions: [inner] }), job("second", own)] } });
    expect(findings).toMatchObject([{ level: "error", kind: "deadlock", key: "jobs[0].actions[0]" }]);
    const other = { ...inner, command: "/usr/bin/rsyncdirector run third" };
    const jobs = [job("first", own, [], { actions: [other] }), job("third", [local(`${L}/third`)])];
    expect(await check({ nas: { jobs } })).toEqual([]);
  });
});

describe("two instances", () => {
  const jobs = [job("a", [])];
  const top = { rsync_id: "same" };
  test("of one host need their own rsync_id and their own port", async () => {
    const findings = await check({ a: { hosts: ["nas"], top, jobs }, b: { hosts: ["nas"], top, jobs } });
    expect(findings.map(({ level, kind, key }) => `${level} ${kind} ${key}`)).toEqual([
      "error instance rsync_id",
      "error instance metrics.port",
    ]);
  });

  test("of unknown hosts with one rsync_id are a warning, of different hosts none", async () => {
    const unknown = await check({ a: { top, jobs }, b: { top, jobs } });
    expect(unknown.map(({ level, kind }) => `${level} ${kind}`)).toEqual(["warning instance"]);
    expect(await check({ a: { hosts: ["nas"], top, jobs }, b: { hosts: ["desk"], top, jobs } })).toEqual([]);
  });
});

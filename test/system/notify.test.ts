import { readFile, rm, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import type { DirectorProcess } from "../support/director-process.ts";
import { type HttpSink, startHttpSink } from "../support/http-sink.ts";
import { type ConfigDraft, type Instance, makeInstance } from "../support/instance.ts";
import { startSmtpSink } from "../support/smtp-sink.ts";
import { freePort } from "../support/sshd.ts";

/** A job that works while a file is there, and fails otherwise. */
const dependingJob = (path: Instance["path"], more: ConfigDraft = {}): ConfigDraft => ({
  ...{ id: "home", type: "local" },
  actions: [{ action: "command", id: "look", command: `/bin/ls ${path("dest/works")}` }],
  ...more,
});
const webhook = (sink: HttpSink, more: ConfigDraft = {}): ConfigDraft => ({
  ...{ type: "webhook", url: `${sink.url}/hook`, body: '{"event": "{{event}}", "of": "{{title}}", "log": "{{log}}"}' },
  ...more,
});
const eventsAt = ({ received }: HttpSink) => received.map(({ body }) => (JSON.parse(body) as { event: string }).event);

async function runOnce(director: DirectorProcess): Promise<void> {
  const since = director.lines.length;
  director.signal("SIGHUP");
  await director.waitForLine(({ msg }) => msg === "run finished", { since });
}

async function stop(director: DirectorProcess): Promise<void> {
  director.signal("SIGTERM");
  expect(await director.exited).toBe(0);
}

describe("notifications of a daemon", () => {
  it("tell a failure once in ten, and its end once, across restarts", async () => {
    const sink = await startHttpSink();
    const instance = await makeInstance(({ path }) => ({ notify: [webhook(sink)], jobs: [dependingJob(path)] }));
    let director = await instance.start();
    for (let run = 0; run < 5; run += 1) await runOnce(director);
    await director.waitForLine(({ msg }) => msg === "notification delivered");
    await stop(director);
    director = await instance.start();
    for (let run = 0; run < 5; run += 1) await runOnce(director);
    await stop(director);
    expect(eventsAt(sink)).toEqual(["failure"]);
    expect(sink.received[0]?.body).toContain("test: home failed");
    expect(sink.received[0]?.body).toContain("No such file or directory");
    await writeFile(instance.path("dest/works"), "");
    director = await instance.start();
    await runOnce(director);
    await runOnce(director);
    await director.waitForLine(({ msg, event }) => msg === "notification delivered" && event === "recovery");
    await stop(director);
    expect(eventsAt(sink)).toEqual(["failure", "recovery"]);
    expect(JSON.parse(await readFile(instance.path("state/notify-test.json"), "utf8"))).toEqual({
      v: 1,
      channels: { webhook: { memory: {}, queue: { waiting: [], tries: 0, dropped: 0 } } },
    });
  });

  it("that hang delay neither a run nor the stop, and are delivered after the next start", async () => {
    let hangs = true;
    const sink = await startHttpSink((_, response) => {
      if (!hangs) response.end();
    });
    const deadPort = await freePort();
    const instance = await makeInstance(({ path }) => ({
      notify: [webhook(sink), { type: "webhook", id: "dead", url: `http://127.0.0.1:${deadPort}/` }],
      jobs: [dependingJob(path)],
    }));
    let director = await instance.start();
    await runOnce(director);
    await sink.untilReceived(1);
    await writeFile(instance.path("dest/works"), "");
    await runOnce(director);
    const isUndelivered = ({ msg }: { msg: string }) => msg.startsWith("notification could not be delivered");
    await director.waitForLine((line) => isUndelivered(line) && line["channel"] === "dead");
    const scraped = await instance.scrape();
    expect(scraped).toContain('rsyncdirector_notifications_waiting{channel="webhook"} 2');
    expect(scraped).toMatch(/rsyncdirector_notifications_total\{channel="dead",outcome="retried"\} [1-9]/);
    await stop(director);
    // It did not wait for the end of the try, which has half a minute.
    const given = director.lines.filter(isUndelivered);
    expect(given.map(({ channel }) => channel)).not.toContain("webhook");
    const kept = director.lines.filter(({ msg }) => msg === "notifications are kept for the next start");
    expect(kept).toMatchObject([
      { channel: "webhook", waiting: 2 },
      { channel: "dead", waiting: 2 },
    ]);
    hangs = false;
    director = await instance.start();
    await sink.untilReceived(3);
    await director.waitForLine(({ msg, event }) => msg === "notification delivered" && event === "recovery");
    await stop(director);
    expect(eventsAt(sink)).toEqual(["failure", "failure", "recovery"]);
  });

  it("go on when their state is damaged or cannot be written, and say so", async () => {
    const sink = await startHttpSink();
    const instance = await makeInstance(({ path }) => ({ notify: [webhook(sink)], jobs: [dependingJob(path)] }));
    await writeFile(instance.path("state/notify-test.json"), "{");
    const director = await instance.start();
    await director.waitForLine(({ msg }) => msg.startsWith("state of notifications is damaged"));
    expect(await readFile(instance.path("state/notify-test.json.damaged"), "utf8")).toBe("{");
    await rm(instance.path("state"), { recursive: true });
    await writeFile(instance.path("state"), "in the way");
    await runOnce(director);
    await director.waitForLine(({ msg }) => msg === "state of notifications cannot be written");
    await sink.untilReceived(1);
    await stop(director);
  });

  it("reach every channel, each with what it wants, and no secret reaches the log", async () => {
    const sink = await startHttpSink();
    const mail = await startSmtpSink({ startTls: true, login: "backup:geheim-mail" });
    const instance = await makeInstance(({ path }) => ({
      notify: [
        { type: "ntfy", url: `${sink.url}/ntfy`, topic: "backups", token_file: path("token") },
        { type: "healthchecks", url: `${sink.url}/{{key}}/{{job}}`, key_file: path("key") },
        {
          ...{ type: "email", host: "localhost", port: mail.port, ca_file: mail.caFile, to: "root@example.org" },
          ...{ user: "backup", password_file: path("password") },
        },
        { type: "command", command: `cat > ${path("dest/told")}`, shell: true },
      ],
      jobs: [dependingJob(path)],
    }));
    for (const name of ["token", "key", "password"]) {
      await writeFile(instance.path(name), name === "password" ? "geheim-mail\n" : `geheim-${name}\n`, { mode: 0o600 });
    }
    const director = await instance.start();
    await runOnce(director);
    const isDelivered = (channel: string, event: string) =>
      director.waitForLine(
        (line) => line.msg === "notification delivered" && line["channel"] === channel && line["event"] === event,
      );
    await Promise.all([
      isDelivered("ntfy", "failure"),
      ...["start", "failure"].map((event) => isDelivered("healthchecks", event)),
      ...["email", "command"].map((channel) => isDelivered(channel, "failure")),
    ]);
    await stop(director);
    const urls = sink.received.map(({ url }) => url.replace(/\?rid=[0-9a-f-]+$/, "?rid"));
    expect(urls.toSorted()).toEqual(["/geheim-key/home/fail?rid", "/geheim-key/home/start?rid", "/ntfy"]);
    expect(mail.received).toMatchObject([{ to: ["root@example.org"], login: "backup:geheim-mail", isEncrypted: true }]);
    expect(mail.received[0]?.data).toContain("Subject: test: home failed");
    expect(JSON.parse(await readFile(instance.path("dest/told"), "utf8"))).toMatchObject({
      event: "failure",
      job: "home",
    });
    expect(JSON.stringify(director.lines)).not.toContain("geheim");
  });

  it("are told by a run in the foreground too", async () => {
    const sink = await startHttpSink();
    const instance = await makeInstance(({ path }) => ({ notify: [webhook(sink)], jobs: [dependingJob(path)] }));
    expect((await instance.cli("run")).exitCode).toBe(1);
    expect((await instance.cli("run")).exitCode).toBe(1);
    await writeFile(instance.path("dest/works"), "");
    expect((await instance.cli("run", "--dry-run")).exitCode).toBe(0);
    expect((await instance.cli("run")).exitCode).toBe(0);
    expect(eventsAt(sink)).toEqual(["failure", "recovery"]);
  });
});

describe("notify test", () => {
  it("sends over every channel, says what became of it, and fails when one failed", async () => {
    const sink = await startHttpSink();
    const deadPort = await freePort();
    const instance = await makeInstance(({ path }) => ({
      notify: [
        webhook(sink, { url: `${sink.url}/services/abcDEF0123456789` }),
        { type: "ntfy", id: "phone", url: `http://127.0.0.1:${deadPort}`, topic: "backups" },
      ],
      jobs: [dependingJob(path)],
    }));
    const all = await instance.cli("notify", "test");
    expect(all.exitCode).toBe(1);
    expect(all.stdout).toMatch(
      /^webhook +webhook +delivered +http:\/\/127.0.0.1:\d+\/services\/\[redacted\] +HTTP 200$/m,
    );
    expect(all.stdout).toMatch(/^phone +ntfy +FAILED +http:\/\/127.0.0.1:\d+, topic backups +.*ECONNREFUSED/m);
    expect(eventsAt(sink)).toEqual(["test"]);
    expect((await instance.cli("notify", "test", "webhook")).exitCode).toBe(0);
    const unknown = await instance.cli("notify", "test", "pager");
    expect(unknown).toMatchObject({ exitCode: 78, stderr: expect.stringContaining("there are webhook, phone") });
  });
});

describe("hooks of a daemon", () => {
  it("run under the locks, know what became of the job, and end with it", async () => {
    const note = (path: Instance["path"], what: string) =>
      `echo "${what} $RSYNCDIRECTOR_JOB $RSYNCDIRECTOR_OUTCOME $RSYNCDIRECTOR_LOCKS $(test -e ${path("locks/own")} && echo locked)" >> ${path("dest/order")}`;
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          ...dependingJob(path),
          lock_files: [{ type: "local", path: path("locks/own") }],
          hooks: [
            { on: "start", run: note(path, "start"), shell: true },
            { on: ["success", "failure"], run: note(path, "end"), shell: true },
            { on: "finally", run: note(path, "finally"), shell: true },
          ],
        },
      ],
    }));
    expect((await instance.cli("run")).exitCode).toBe(1);
    await writeFile(instance.path("dest/works"), "");
    expect((await instance.cli("run")).exitCode).toBe(0);
    const order = (await readFile(instance.path("dest/order"), "utf8")).trim().split("\n");
    expect(order).toEqual([
      ...["start home  held locked", "end home failed held locked", "finally home failed held locked"],
      ...["start home  held locked", "end home ok held locked", "finally home ok held locked"],
    ]);
    const history = await instance.cli("history", "--json");
    const [{ runId }] = JSON.parse(history.stdout) as [{ runId: string }];
    const shown = await instance.cli("history", runId);
    expect(shown.stdout).toContain("hook:finally");
  });

  it("that tidy up run when the director is stopped in the middle of the job", async () => {
    const instance = await makeInstance(({ path }) => ({
      jobs: [
        {
          ...{ id: "slow", type: "local" },
          hooks: [
            { on: "start", run: `touch ${path("dest/mounted")}` },
            { on: "finally", run: `rm ${path("dest/mounted")}` },
          ],
          actions: [{ action: "command", id: "wait", shell: true, command: "echo waiting; exec sleep 600" }],
        },
      ],
    }));
    const director = await instance.start();
    director.signal("SIGHUP");
    await director.waitForLine((line) => line["line"] === "waiting");
    await readFile(instance.path("dest/mounted"));
    await stop(director);
    await expect(readFile(instance.path("dest/mounted"))).rejects.toThrow("ENOENT");
    expect(director.lines.find(({ msg }) => msg === "run finished")).toMatchObject({ outcome: "cancelled" });
  });
});

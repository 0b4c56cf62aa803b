import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildNotice, hostileNotice } from "../support/build-notice.ts";
import { deliver, secretFile, startSilentServer } from "../support/deliver-notice.ts";
import { startSmtpSink } from "../support/smtp-sink.ts";
import { freePort } from "../support/sshd.ts";
import { makeTempDir } from "../support/temp-dir.ts";

describe("e-mail", () => {
  const to = ["ann@example.org", "Bob <bob@example.org>"];

  it("arrives over STARTTLS after logging in, with what it is about", async () => {
    const sink = await startSmtpSink({ startTls: true, login: "backup:geheim" });
    const password_file = await secretFile("geheim");
    const way = { host: "localhost", port: sink.port, ca_file: sink.caFile, user: "backup", password_file };
    const delivery = await deliver({ type: "email", ...way, from: "Backups <backup@example.org>", to }, hostileNotice);
    expect(delivery).toEqual({ kind: "delivered", detail: "250 kept" });
    const [mail] = sink.received;
    expect(mail).toMatchObject({ isEncrypted: true, login: "backup:geheim", from: "backup@example.org" });
    expect(mail?.to).toEqual(["ann@example.org", "bob@example.org"]);
    const headers = mail?.data.split("\n\n", 1)[0] ?? "";
    expect(headers).toMatch(/^From: Backups <backup@example.org>$/m);
    expect(headers).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(headers).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(headers).toMatch(/^X-Rsyncdirector-Event: failure$/m);
    expect(headers).toMatch(/^X-Rsyncdirector-Job: home$/m);
    expect(mail?.data).toContain("run 20261129-020000-abcdef, after 1m 1s, on nas01");
  });

  it("is not sent where there is no TLS, or to a server that nobody vouches for", async () => {
    const plain = await startSmtpSink();
    const refused = await deliver({ type: "email", host: "127.0.0.1", port: plain.port, to });
    expect(refused).toMatchObject({ kind: "failed" });
    const stranger = await startSmtpSink({ startTls: true });
    const unknown = await deliver({ type: "email", host: "127.0.0.1", port: stranger.port, to });
    expect(unknown).toMatchObject({ kind: "failed", isFinal: false, detail: expect.stringMatching(/self.signed/) });
    expect([...plain.received, ...stranger.received]).toEqual([]);
  });

  it("goes in clear where that is asked for, from this host", async () => {
    const sink = await startSmtpSink({ startTls: true });
    expect(await deliver({ type: "email", host: "127.0.0.1", port: sink.port, tls: "none", to })).toMatchObject({
      kind: "delivered",
    });
    expect(sink.received).toMatchObject([{ isEncrypted: false, from: "rsyncdirector@nas01", login: undefined }]);
  });

  it.each<[string, Readonly<Record<string, string>>, boolean, RegExp]>([
    ["the last word of a server", { MAIL: "550 no geheim here" }, true, /550 no \[redacted\] here/],
    ["a server that is busy", { MAIL: "451 later" }, false, /451 later/],
    ["a wrong password", { AUTH: "535 geheim is wrong" }, true, /535 \[redacted\] is wrong/],
    ["a server that greets badly", { CONNECT: "554 go away" }, true, /554 go away/],
  ])("fails for %s", async (_what, answers, isFinal, detail) => {
    const sink = await startSmtpSink({ startTls: true, login: "backup:geheim", answers });
    const way = {
      host: "localhost",
      port: sink.port,
      ca_file: sink.caFile,
      user: "backup",
      password_file: await secretFile("geheim"),
    };
    const delivery = await deliver({ type: "email", ...way, to });
    expect(delivery).toMatchObject({ kind: "failed", isFinal, detail: expect.stringMatching(detail) });
    expect(sink.received).toEqual([]);
  });

  it("fails for a dead port and for one that never answers, and ends when it is stopped", async () => {
    const dead = await deliver({ type: "email", host: "127.0.0.1", port: await freePort(), tls: "none", to });
    expect(dead).toMatchObject({ kind: "failed", isFinal: false, detail: expect.stringContaining("ECONNREFUSED") });
    const port = await startSilentServer();
    const late = await deliver({ type: "email", host: "127.0.0.1", port, tls: "none", to, timeout: "200ms" });
    expect(late).toMatchObject({ kind: "failed", isFinal: false });
    const stop = new AbortController();
    const stopped = deliver({ type: "email", host: "127.0.0.1", port, tls: "none", to }, buildNotice(), stop);
    stop.abort(new Error("the director stops"));
    expect(await stopped).toMatchObject({ kind: "failed", detail: "the director stops" });
  });
});

describe("a command", () => {
  it("gets the notice in its environment and on its standard input", async () => {
    const directory = await makeTempDir();
    const script = `cat > ${directory}/stdin; env | grep ^RSYNCDIRECTOR | sort > ${directory}/env`;
    const notice = buildNotice({ message: "one line" });
    expect(await deliver({ type: "command", command: script, shell: true }, notice)).toMatchObject({
      kind: "delivered",
    });
    expect(JSON.parse(await readFile(join(directory, "stdin"), "utf8"))).toMatchObject({
      event: "failure",
      exit_code: 23,
    });
    const variables = (await readFile(join(directory, "env"), "utf8")).trim().split("\n");
    expect(variables).toContain("RSYNCDIRECTOR_NOTICE_TITLE=nas: home failed");
    expect(variables).toContain("RSYNCDIRECTOR_NOTICE_DURATION=1m 1s");
    expect(variables.filter((line) => !line.startsWith("RSYNCDIRECTOR_NOTICE_"))).toEqual([]);
  });

  it.each([
    ["echo full >&2; exit 3", "it ended with 3: full"],
    ["kill -9 $$", "it was ended by SIGKILL"],
    ["exec sleep 60", "there was no answer within 500ms", "500ms"],
  ])("that does not end well fails: %s", async (command, detail, timeout = "50s") => {
    const delivery = await deliver({ type: "command", command, shell: true, timeout });
    expect(delivery).toEqual({ kind: "failed", detail, isFinal: false });
  });

  it("that is not there fails", async () => {
    const delivery = await deliver({ type: "command", command: "/nowhere/tell" });
    expect(delivery).toMatchObject({ kind: "failed", detail: expect.stringContaining("could not be started") });
  });
});

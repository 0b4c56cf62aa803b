import { describe, expect, it } from "vitest";
import type { RawChannel } from "../../src/config/schema-notify.ts";
import type { Notice } from "../../src/notify/notice.ts";
import { buildNotice, hostileNotice } from "../support/build-notice.ts";
import { deliver, secretFile, startSilentServer } from "../support/deliver-notice.ts";
import { startHttpSink } from "../support/http-sink.ts";
import { freePort } from "../support/sshd.ts";
import { startTlsSink } from "../support/tls-sink.ts";

describe("a webhook", () => {
  it("gets all that is known as JSON", async () => {
    const sink = await startHttpSink();
    expect(await deliver({ type: "webhook", url: `${sink.url}/hook` })).toEqual({
      kind: "delivered",
      detail: "HTTP 200",
    });
    const [request] = sink.received;
    expect(request).toMatchObject({ method: "POST", url: "/hook", headers: { "content-type": "application/json" } });
    expect(request?.headers["user-agent"]).toBe("rsyncdirector/1.2.3");
    expect(JSON.parse(request?.body ?? "")).toEqual({
      ...{ event: "failure", title: "nas: home failed", message: "copy: rsync ended with 23", log: "rsync error" },
      ...{ job: "home", target: null, run: "20261129-020000-abcdef", instance: "nas", host: "nas01" },
      ...{ time: "2026-11-29T02:01:01.000Z", duration_seconds: 61, exit_code: 23 },
    });
  });

  it("gets what its templates say, with secrets from files, and whatever is in the texts stays a text", async () => {
    const sink = await startHttpSink();
    const channel: RawChannel = {
      ...{ type: "webhook", url: `${sink.url}/{{secret.path}}?title={{title}}`, method: "PUT" },
      ...{ headers: { Authorization: "Bearer {{ secret.token }}", "X-Title": "{{title}}" } },
      body: '{"text": "{{title}}: {{message}}", "job": ["{{job}}"]}',
      secrets: { path: await secretFile("p4th/x"), token: await secretFile("geheim") },
    };
    expect(await deliver(channel, hostileNotice)).toMatchObject({ kind: "delivered" });
    const [request] = sink.received;
    expect(request).toMatchObject({
      ...{ method: "PUT", url: `/p4th/x?title=${encodeURIComponent(hostileNotice.title)}` },
      headers: { authorization: "Bearer geheim", "x-title": "nas: home failed" },
    });
    expect(JSON.parse(request?.body ?? "")).toEqual({
      text: `${hostileNotice.title}: ${hostileNotice.message}`,
      job: ["home"],
    });
  });

  it.each([
    ["text/plain", "{{message}}", hostileNotice.message],
    [
      "application/x-www-form-urlencoded",
      "m={{message}}&j={{job}}",
      `m=${encodeURIComponent(hostileNotice.message)}&j=home`,
    ],
  ])("gets a body of type %s", async (type, body, expected) => {
    const sink = await startHttpSink();
    await deliver({ type: "webhook", url: sink.url, headers: { "content-type": type }, body }, hostileNotice);
    expect(sink.received).toMatchObject([{ body: expected, headers: { "content-type": type } }]);
  });

  it.each([
    [500, false],
    [503, false],
    [429, false],
    [408, false],
    [400, true],
    [401, true],
    [404, true],
  ])("that answers %d is tried again or not", async (status, isFinal) => {
    const sink = await startHttpSink((_, response) => {
      response.writeHead(status, { "retry-after": "7" }).end("sorry, geheim is wrong");
    });
    const secrets = { token: await secretFile("geheim") };
    const delivery = await deliver({ type: "webhook", url: sink.url, headers: { a: "{{secret.token}}" }, secrets });
    const detail = `the server answers ${status}: sorry, [redacted] is wrong`;
    expect(delivery).toEqual({ kind: "failed", detail, isFinal, retryAfterMs: 7000 });
  });

  it("follows its host to another path, and nobody elsewhere", async () => {
    const elsewhere = await startHttpSink();
    const sink = await startHttpSink(({ url }, response) => {
      const target = { "/moved": "/there", "/away": `http://localhost:${elsewhere.port}/`, "/round": "/round" }[url];
      if (target === undefined) response.end();
      else response.writeHead(307, { location: target }).end();
    });
    expect(await deliver({ type: "webhook", url: `${sink.url}/moved` })).toMatchObject({ kind: "delivered" });
    expect(sink.received.map(({ method, url }) => `${method} ${url}`)).toEqual(["POST /moved", "POST /there"]);
    expect(sink.received[1]?.body).toBe(sink.received[0]?.body);
    expect(await deliver({ type: "webhook", url: `${sink.url}/away` })).toMatchObject({
      kind: "failed",
      isFinal: true,
    });
    expect(elsewhere.received).toEqual([]);
    const round = await deliver({ type: "webhook", url: `${sink.url}/round` });
    expect(round).toMatchObject({ isFinal: true, detail: expect.stringContaining("again and again") });
  });

  it("that is not there, that never answers, or whose secret is missing, fails for now", async () => {
    const dead = await deliver({ type: "webhook", url: `http://127.0.0.1:${await freePort()}/key0123456789abcdef` });
    expect(dead).toMatchObject({ kind: "failed", isFinal: false, detail: expect.stringContaining("ECONNREFUSED") });
    const silent = await startSilentServer();
    const late = await deliver({ type: "webhook", url: `http://127.0.0.1:${silent}`, timeout: "200ms" });
    expect(late).toEqual({ kind: "failed", isFinal: false, detail: "there was no answer within 200ms" });
    const missing = await deliver({ type: "webhook", url: "http://127.0.0.1", secrets: { a: "/nowhere/secret" } });
    expect(missing).toMatchObject({
      kind: "failed",
      isFinal: false,
      detail: expect.stringContaining("/nowhere/secret"),
    });
  });

  it("whose certificate nobody vouches for gets nothing", async () => {
    const sink = await startTlsSink();
    const delivery = await deliver({ type: "webhook", url: sink.url });
    expect(delivery).toMatchObject({ kind: "failed", detail: expect.stringMatching(/self.signed/) });
    expect(sink.received).toEqual([]);
  });
});

describe("healthchecks", () => {
  it.each<[Partial<Notice>, string]>([
    [{ event: "start" }, "/start"],
    [{ event: "success" }, ""],
    [{ event: "warning" }, ""],
    [{ event: "failure" }, "/fail"],
    [{ event: "stale", runId: null }, "/fail"],
    [{ event: "skipped" }, "/log"],
    [{ event: "aborted" }, "/log"],
    [{ event: "test", runId: null }, "/log"],
  ])("is pinged for %j", async (given, sign) => {
    const sink = await startHttpSink();
    const notice = buildNotice(given);
    const key_file = await secretFile("ping-key");
    await deliver({ type: "healthchecks", url: `${sink.url}/{{key}}/{{job}}`, key_file, create: true }, notice);
    const url = new URL(sink.received[0]?.url ?? "", sink.url);
    expect(url.pathname).toBe(`/ping-key/home${sign}`);
    expect(url.searchParams.get("create")).toBe("1");
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
    if (notice.runId === null) expect(url.searchParams.has("rid")).toBe(false);
    else expect(url.searchParams.get("rid")).toMatch(uuid);
    expect(sink.received[0]?.body).toContain("copy: rsync ended with 23\n\nrsync error");
  });

  it("can tell the start and the end of a run by the same id, of each job another", async () => {
    const sink = await startHttpSink();
    const channel: RawChannel = { type: "healthchecks", url: `${sink.url}/uuid`, exit_status: true };
    await deliver(channel, buildNotice({ event: "start" }));
    await deliver(channel, buildNotice());
    await deliver(channel, buildNotice({ jobId: "photos", exitCode: null }));
    const [start, end, other] = sink.received.map(({ url }) => new URL(url, sink.url));
    expect([start, end, other].map((url) => url?.pathname)).toEqual(["/uuid/start", "/uuid/23", "/uuid/fail"]);
    expect(end?.search).toBe(start?.search);
    expect(other?.search).not.toBe(start?.search);
  });
});

describe("ntfy", () => {
  it("gets a message with priority, tags and token", async () => {
    const sink = await startHttpSink();
    const token_file = await secretFile("tk_geheim");
    await deliver({ type: "ntfy", url: sink.url, topic: "backups", tags: ["nas"], token_file }, hostileNotice);
    await deliver(
      { type: "ntfy", url: sink.url, topic: "backups", priority: "min" },
      buildNotice({ event: "recovery", isBad: false }),
    );
    expect(sink.received[0]?.headers).toMatchObject({ authorization: "Bearer tk_geheim" });
    const [bad, good] = sink.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
    expect(bad).toMatchObject({
      topic: "backups",
      title: hostileNotice.title,
      priority: 4,
      tags: ["rotating_light", "nas"],
    });
    expect(bad?.["message"]).toContain(hostileNotice.message);
    expect(good).toMatchObject({ priority: 1, tags: ["white_check_mark"] });
  });
});

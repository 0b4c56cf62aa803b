import { chmod, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { ask, followEvents } from "../support/web-client.ts";
import { type ListenersDraft, startTestListeners } from "../support/web-listeners.ts";

const token = "correct-horse-battery-staple";
const bearer = { Authorization: `Bearer ${token}` };

function basic(user: string, password: string) {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

async function makeTokenFile(content = `${token}\n`, mode = 0o600): Promise<string> {
  const file = join(await makeTempDir(), "token");
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

async function startWithToken(draft: ListenersDraft = {}) {
  const tokenFile = await makeTokenFile();
  return { tokenFile, ...(await startTestListeners({ ...draft, web: { tokenFile, ...draft.web } })) };
}

describe("on a loopback address without a token", () => {
  test("anybody on this host may look, and nobody may do", async () => {
    const { network, control } = await startTestListeners({ web: {} });
    expect((await ask(network, "/api/v1/status")).status).toBe(200);
    const answer = await ask(network, "/api/v1/runs", { body: { jobs: [] } });
    expect([answer.status, answer.json()]).toEqual([
      ...[403, { error: "nothing can be done here, only looked at: see web.allow_actions" }],
    ]);
    expect(control.calls).toEqual([]);
  });

  test("allow_actions lets anybody on this host do something, but no page of another site", async () => {
    const { network, control } = await startTestListeners({ web: { allowActions: true } });
    const origin = "http://evil.example";
    const foreign = await ask(network, "/api/v1/runs", { body: { jobs: [] }, headers: { Origin: origin } });
    expect(foreign.status).toBe(403);
    expect(control.calls).toEqual([]);
    expect((await ask(network, "/api/v1/runs", { body: { jobs: [] } })).status).toBe(202);
    expect(control.calls).toEqual([["run", [], "anybody on this host"]]);
  });
});

describe("the Host header", () => {
  test.each([
    ["localhost", 200],
    ["localhost:1", 200],
    ["LOCALHOST", 200],
    ["127.0.0.1", 200],
    ["[::1]:9000", 200],
    [hostname(), 200],
    ["backup.example.org", 200],
    ["backup.example.org:8443", 200],
    ["proxy.example.org:443", 200],
    ["proxy.example.org:444", 403],
    ["proxy.example.org", 403],
    ["evil.example", 403],
    ["evil.example:80", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.evil.example", 403],
    ["backup.example.org.", 403],
    ["user@localhost", 403],
    ["192.0.2.1", 403],
  ])("%j is answered with %i", async (host, status) => {
    const allowedHosts = ["backup.example.org", "proxy.example.org:443"];
    const { network } = await startTestListeners({ web: { allowedHosts } });
    expect((await ask(network, "/api/v1/status", { headers: { Host: host } })).status).toBe(status);
  });

  test("is looked at before the token, and on streams too", async () => {
    const { network } = await startWithToken();
    const headers = { ...bearer, Host: "evil.example" };
    for (const path of ["/api/v1/status", "/api/v1/events", "/nothing"]) {
      expect((await ask(network, path, { headers })).status).toBe(403);
    }
  });

  test("is the one that counts: a request for a proxy is not understood", async () => {
    const { network } = await startTestListeners({ web: {} });
    expect((await ask(network, "http://evil.example/api/v1/status")).status).toBe(400);
  });
});

describe("a page of another site", () => {
  test.each([
    ["its Origin", { Origin: "http://evil.example" }],
    ["another port", { Origin: "http://localhost:1" }],
    ["a hidden Origin", { Origin: "null" }],
    ["nonsense", { Origin: "evil" }],
    ["another scheme", { Origin: "ftp://localhost" }],
    ["what the browser says", { "Sec-Fetch-Site": "cross-site" }],
    ["a sister's page", { "Sec-Fetch-Site": "same-site" }],
    ["a form that is sent", { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate" }],
  ])("is refused by %s, though the token is right", async (_what, headers) => {
    const { network, control } = await startWithToken();
    const asked = { body: { jobs: [] }, headers: { ...bearer, Host: "localhost", ...headers } };
    const answer = await ask(network, "/api/v1/runs", asked);
    expect([answer.status, control.calls]).toEqual([403, []]);
  });

  test("cannot post a form", async () => {
    const { network, control } = await startWithToken();
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data",
      "application/jsonp",
    ]) {
      const headers = { ...bearer, "Content-Type": type };
      expect((await ask(network, "/api/v1/reload", { method: "POST", body: "{}", headers })).status).toBe(415);
    }
    expect(control.calls).toEqual([]);
  });

  test("cannot read, but a link to the page can be followed", async () => {
    const { network } = await startTestListeners({ web: {} });
    const site = { "Sec-Fetch-Site": "cross-site" };
    const statusOf = async (headers: Record<string, string>) =>
      (await ask(network, "/api/v1/locks", { headers })).status;
    expect(await statusOf({ ...site, "Sec-Fetch-Mode": "cors" })).toBe(403);
    expect(await statusOf({ ...site, "Sec-Fetch-Mode": "no-cors" })).toBe(403);
    expect(await statusOf({ ...site, "Sec-Fetch-Mode": "navigate" })).toBe(200);
  });

  test.each(["http", "https"])("is not the own page, over %s", async (scheme) => {
    const { network } = await startWithToken({ web: { allowedHosts: ["backup.example.org"] } });
    const host = "backup.example.org";
    const headers = { ...bearer, Host: host, Origin: `${scheme}://${host}`, "Sec-Fetch-Site": "same-origin" };
    expect((await ask(network, "/api/v1/runs", { body: { jobs: [] }, headers })).status).toBe(202);
  });
});

describe("the token", () => {
  test.each<[string, Record<string, string>, number]>([
    ["as a bearer", bearer, 200],
    ["as a bearer in small letters", { Authorization: `bearer ${token}` }, 200],
    ["as the password of any user", basic("anyone", token), 200],
    ["missing", {}, 401],
    ["wrong", { Authorization: "Bearer wrong" }, 401],
    ["with something behind it", { Authorization: `Bearer ${token}x` }, 401],
    ["without its end", { Authorization: `Bearer ${token.slice(0, -1)}` }, 401],
    ["as a user", basic(token, ""), 401],
    ["of another scheme", { Authorization: `Digest ${token}` }, 401],
    ["of no scheme", { Authorization: token }, 401],
    ["empty", { Authorization: "Bearer " }, 401],
  ])("%s", async (_what, headers, status) => {
    const { network } = await startWithToken();
    for (const path of ["/api/v1/status", "/api/v1/openapi.json", "/nothing"]) {
      const answer = await ask(network, path, { headers });
      expect(answer.status).toBe(status === 200 && path === "/nothing" ? 404 : status);
    }
  });

  test("is asked for so that browsers ask for it", async () => {
    const { network } = await startWithToken();
    const answer = await ask(network, "/");
    expect([answer.status, answer.headers["www-authenticate"], answer.json()]).toEqual([
      ...[401, 'Basic realm="rsyncdirector", charset="UTF-8"', { error: "a token or a user is needed" }],
    ]);
  });

  test("lets do, unless allow_actions says no", async () => {
    const asked = { body: { jobs: ["home"] }, headers: bearer };
    const { network, control } = await startWithToken();
    expect((await ask(network, "/api/v1/runs", asked)).status).toBe(202);
    expect(control.calls).toEqual([["run", ["home"], "the token"]]);
    const reading = await startWithToken({ web: { allowActions: false } });
    expect((await ask(reading.network, "/api/v1/runs", asked)).status).toBe(403);
    expect(reading.control.calls).toEqual([]);
  });

  test("opens streams", async () => {
    const { network } = await startWithToken();
    expect((await ask(network, "/api/v1/events")).status).toBe(401);
    const events = await followEvents(network, "/api/v1/status/stream", { headers: bearer });
    expect((await events.next())?.name).toBe("status");
  });

  test("is not needed on the control socket", async () => {
    const { socket } = await startWithToken();
    expect((await ask(socket, "/api/v1/status")).status).toBe(200);
  });

  test("can be exchanged, and taken away, while the director runs", async () => {
    const log = createMemoryLog();
    const { network, tokenFile } = await startWithToken({ log });
    await writeFile(tokenFile, "another-token-of-some-length\n");
    expect((await ask(network, "/api/v1/status", { headers: bearer })).status).toBe(401);
    const headers = { Authorization: "Bearer another-token-of-some-length" };
    expect((await ask(network, "/api/v1/status", { headers })).status).toBe(200);
    await chmod(tokenFile, 0o644);
    expect((await ask(network, "/api/v1/status", { headers })).status).toBe(503);
    expect(log.messages("error")).toEqual(["token and users cannot be read: nobody is let in"]);
    expect(JSON.stringify(log.lines)).not.toContain("another-token");
  });
});

describe("wrong logins", () => {
  test("are slowed down by address, and forgiven with time", async () => {
    const clock = new FakeClock();
    const log = createMemoryLog();
    const { network } = await startWithToken({ clock, log });
    const wrong = { headers: { Authorization: "Bearer wrong" } };
    const statuses: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) statuses.push((await ask(network, "/", wrong)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429]);
    const held = await ask(network, "/api/v1/status", { headers: bearer });
    expect([held.status, held.headers["retry-after"]]).toEqual([429, "6"]);
    await clock.advance(6_000);
    expect((await ask(network, "/api/v1/status", { headers: bearer })).status).toBe(200);
    expect(log.messages("warn")).toEqual(Array<string>(10).fill("wrong login"));
    expect(JSON.stringify(log.lines)).not.toContain(token);
  });

  test("do not count where nothing was brought", async () => {
    const { network } = await startWithToken();
    for (let tries = 0; tries < 15; tries += 1) expect((await ask(network, "/")).status).toBe(401);
  });
});

describe("a token file", () => {
  test.each([
    ["that others can read", () => makeTokenFile(token, 0o640), "has the mode 0640: run chmod 0600 on it"],
    ["with a short token", () => makeTokenFile("short"), "must have one line of 16 or more printable characters"],
    ["with two lines", () => makeTokenFile(`${token}\n${token}\n`), "must have one line"],
    ["that is a link", linkToToken, "is a symbolic link: name the file itself"],
    ["that is a directory", makeTempDir, "is not a regular file"],
    ["that is not there", () => Promise.resolve("/nonexistent/token"), "does not exist"],
  ])("%s is refused", async (_what, make, problem) => {
    const tokenFile = await make();
    await expect(startTestListeners({ web: { tokenFile } })).rejects.toThrow(`web.token_file: ${tokenFile} ${problem}`);
  });
});

async function linkToToken(): Promise<string> {
  const link = join(await makeTempDir(), "link");
  await symlink(await makeTokenFile(), link);
  return link;
}

test.each([
  [{ addr: "192.0.2.1" }, "web.addr: other hosts can reach 192.0.2.1, and there is no TLS"],
  [{ addr: "0.0.0.0" }, "web.addr: other hosts can reach 0.0.0.0, and there is no TLS"],
  [{ addr: "::" }, "web.addr: other hosts can reach ::, and there is no TLS"],
])("%j is refused without TLS, though there is a token", async (web, problem) => {
  await expect(startWithToken({ web })).rejects.toThrow(problem);
});

test("the page is added to what answers on TCP alone, behind the same door, and may do what it has to", async () => {
  const tokenFile = await makeTokenFile();
  const seen: boolean[] = [];
  const { network, socket, control } = await startTestListeners({
    web: { tokenFile, allowActions: false },
    registerPage: (app, about) => {
      seen.push(about.allowActions);
      app.get("/", (_, reply) =>
        reply
          .header("Content-Security-Policy", "default-src 'none'; script-src 'self'")
          .header("Cache-Control", "max-age=60")
          .type("text/html; charset=utf-8")
          .send(`<p>${about.control.status().rsyncId}</p>`),
      );
    },
  });
  expect((await ask(network, "/")).status).toBe(401);
  const page = await ask(network, "/", { headers: bearer });
  expect([page.status, page.text]).toEqual([200, `<p>${control.status().rsyncId}</p>`]);
  expect(page.headers).toMatchObject({
    "content-security-policy": "default-src 'none'; script-src 'self'",
    "cache-control": "max-age=60",
    "x-content-type-options": "nosniff",
  });
  expect(seen).toEqual([false]);
  expect((await ask(socket, "/")).status).toBe(404);
});

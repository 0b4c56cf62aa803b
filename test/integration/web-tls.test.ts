import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { OperatorError } from "../../src/base/errors.ts";
import { makeCertificate } from "../support/certificates.ts";
import { createMemoryLog } from "../support/memory-log.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { ask } from "../support/web-client.ts";
import { startTestListeners } from "../support/web-listeners.ts";

function basic(user: string, password: string) {
  return { headers: { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` } };
}

/** A web configuration of the exporter-toolkit's kind, with TLS and one user. */
async function makeWebConfig() {
  const directory = await makeTempDir();
  const { certificate } = await makeCertificate(directory, "first");
  const webConfigFile = join(directory, "web.yml");
  const users = async (password: string) => {
    const text = `tls_server_config: { cert_file: first.crt, key_file: first.key }\nbasic_auth_users:\n`;
    await writeFile(webConfigFile, `${text}  alice: ${await hash(password, 4)}\n`);
    await chmod(webConfigFile, 0o600);
  };
  await users("wonderland");
  return { directory, webConfigFile, certificate, users };
}

async function start(addr = "127.0.0.1") {
  const made = await makeWebConfig();
  const log = createMemoryLog();
  const started = await startTestListeners({ log, web: { addr, webConfigFile: made.webConfigFile } });
  const at = (ca: string) => ({ port: started.network.port, tls: { ca } });
  return { ...made, ...started, log, at, secure: at(made.certificate) };
}

describe("TLS and users of a web configuration", () => {
  test("let in who knows a password, by their name", async () => {
    const { secure, control, listeners } = await start("0.0.0.0");
    expect(listeners.address).toMatchObject({ addr: "0.0.0.0", tls: true });
    expect((await ask(secure, "/api/v1/status")).status).toBe(401);
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(200);
    expect((await ask(secure, "/api/v1/status", basic("alice", "wrong"))).status).toBe(401);
    expect((await ask(secure, "/api/v1/status", basic("bob", "wonderland"))).status).toBe(401);
    const asked = { body: { jobs: ["home"] }, ...basic("alice", "wonderland") };
    expect((await ask(secure, "/api/v1/runs", asked)).status).toBe(202);
    expect(control.calls).toEqual([["run", ["home"], "alice"]]);
  });

  test("answer no plain HTTP, and no page of the same name without TLS", async () => {
    const { secure, network } = await start();
    await expect(ask(network, "/api/v1/status")).rejects.toThrow(/ECONNRESET|socket hang up|Parse Error/);
    const headers = { ...basic("alice", "wonderland").headers, Host: "localhost", Origin: "http://localhost" };
    expect((await ask(secure, "/api/v1/runs", { body: { jobs: [] }, headers })).status).toBe(403);
  });

  test("are read again when a password changes", async () => {
    const { secure, users } = await start();
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(200);
    await users("looking-glass");
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(401);
    expect((await ask(secure, "/api/v1/status", basic("alice", "looking-glass"))).status).toBe(200);
  });

  test("let nobody in when the file becomes wrong, until it is right again", async () => {
    const { secure, webConfigFile, users, log } = await start();
    await writeFile(webConfigFile, "basic_auth_users: [");
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(503);
    expect(log.messages("error")).toContain("token and users cannot be read: nobody is let in");
    await users("wonderland");
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(200);
  });

  test("let nobody in when the users are gone from the file", async () => {
    const { secure, webConfigFile } = await start();
    await writeFile(webConfigFile, "tls_server_config: { cert_file: first.crt, key_file: first.key }\n");
    expect((await ask(secure, "/api/v1/status")).status).toBe(503);
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(503);
  });

  test("use a new certificate from the next connection on", async () => {
    const { directory, secure, at, log } = await start();
    const renewed = await makeCertificate(directory, "second");
    await copyFile(renewed.keyFile, join(directory, "first.key"));
    await copyFile(renewed.certFile, join(directory, "first.crt"));
    const asked = basic("alice", "wonderland");
    expect((await ask(at(renewed.certificate), "/api/v1/status", asked)).status).toBe(200);
    await expect(ask(secure, "/api/v1/status", asked)).rejects.toThrow(/self-signed certificate|unable to verify/);
    expect(log.messages("info")).toContain("certificate and key were read again");
  });

  test("keep the old certificate while the new one does not fit its key", async () => {
    const { directory, secure, log } = await start();
    const renewed = await makeCertificate(directory, "second");
    await copyFile(renewed.certFile, join(directory, "first.crt"));
    expect((await ask(secure, "/api/v1/status", basic("alice", "wonderland"))).status).toBe(200);
    expect(log.messages("error")).toEqual(["certificate and key cannot be read again: the old ones stay in use"]);
  });
});

test("TLS alone is not enough away from loopback", async () => {
  const { webConfigFile } = await makeWebConfig();
  await writeFile(webConfigFile, "tls_server_config: { cert_file: first.crt, key_file: first.key }\n");
  const starting = startTestListeners({ web: { addr: "0.0.0.0", webConfigFile } });
  await expect(starting).rejects.toThrow(
    "web.addr: other hosts can reach 0.0.0.0, and there is neither a token (web.token_file) nor users (basic_auth_users)",
  );
});

test("a certificate that does not fit its key is an error for the operator", async () => {
  const { webConfigFile, directory } = await makeWebConfig();
  const { certFile } = await makeCertificate(directory, "second");
  await copyFile(certFile, join(directory, "first.crt"));
  const starting = startTestListeners({ web: { webConfigFile } });
  await expect(starting).rejects.toThrow(OperatorError);
  await expect(starting).rejects.toThrow(`web.web_config_file: ${webConfigFile}: certificate and key cannot be used`);
});

describe("a web configuration", () => {
  const tls = "cert_file: first.crt, key_file: first.key";
  test.each([
    ["http_server_config: { http2: true }", "http_server_config is not supported here: remove it"],
    [`tls_server_config: { ${tls}, cipher_suites: [X] }`, "cipher_suites is not supported here: remove it"],
    ["tls_server_config: { cert_file: first.crt }", "tls_server_config needs cert_file and key_file"],
    [`tls_server_config: { ${tls}, min_version: TLS10 }`, "min_version must be TLS12 or TLS13; got TLS10"],
    [`tls_server_config: { ${tls}, min_version: TLS13, max_version: TLS12 }`, "min_version is above max_version"],
    [`tls_server_config: { ${tls}, client_auth_type: RequestClientCert }`, "client_auth_type must be NoClientCert or"],
    [`tls_server_config: { ${tls}, client_ca_file: first.crt }`, "belong together"],
    ["tls_server_config: [x]", "tls_server_config must be a block of keys"],
    ["basic_auth_users: { alice: wonderland }", "the password of alice must be a bcrypt hash"],
    ["basic_auth_users: {", "not YAML"],
    ["a: &a [x]\nb: *a", "Alias resolution is disabled"],
  ])("with %j is refused", async (text, problem) => {
    const { webConfigFile } = await makeWebConfig();
    await writeFile(webConfigFile, `${text}\n`);
    await expect(startTestListeners({ web: { webConfigFile } })).rejects.toThrow(problem);
  });

  test("is refused when others can write to it, or read the key", async () => {
    const { webConfigFile, directory } = await makeWebConfig();
    await chmod(webConfigFile, 0o620);
    await expect(startTestListeners({ web: { webConfigFile } })).rejects.toThrow("has the mode 0620");
    await chmod(webConfigFile, 0o600);
    await chmod(join(directory, "first.key"), 0o644);
    await expect(startTestListeners({ web: { webConfigFile } })).rejects.toThrow(
      `key_file: ${join(directory, "first.key")} has the mode 0644`,
    );
  });
});

import { dirname, resolve } from "node:path";
import { type Document, parseDocument } from "yaml";
import { describeError, OperatorError } from "../base/errors.ts";
import { readPrivateFile } from "./private-file.ts";

export interface WebConfig {
  /** undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** bcrypt hashes by user name; empty: nobody is asked for a name. */
  readonly users: ReadonlyMap<string, string>;
}

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Whose certificates clients must have; undefined: they need none. */
  readonly clientCaFile: string | undefined;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly maxVersion: "TLSv1.2" | "TLSv1.3";
}

const versions: Readonly<Record<string, TlsFiles["minVersion"]>> = { TLS12: "TLSv1.2", TLS13: "TLSv1.3" };
const tlsKeys = ["cert_file", "key_file", "client_auth_type", "client_ca_file", "min_version", "max_version"];
const topKeys = ["tls_server_config", "basic_auth_users"];
/** What bcrypt writes: version, cost, and 53 characters of salt and hash. */
const bcryptHash = /^\$2[aby]\$(?:0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/;

/**
 * Reads a file in the format of Prometheus' exporter-toolkit (docs/web-configuration.md there). What it can say and
 * this program does not do is refused by name: a key that were ignored would let somebody believe it held. Throws an
 * `OperatorError`.
 */
export function readWebConfig(path: string): WebConfig {
  const text = readPrivateFile(path, { key: "web.web_config_file", forbidden: 0o022 });
  const refuse = (problem: string) => new OperatorError(`web.web_config_file: ${path}: ${problem}`, { kind: "usage" });
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: false, logLevel: "error" });
  const [mistake] = document.errors;
  if (mistake !== undefined) throw refuse(`not YAML: ${mistake.message}`);
  const top = blockOf(plainValue(document, refuse), "the file", refuse);
  refuseOthers(top, { known: topKeys, refuse });
  const tls = top["tls_server_config"];
  return {
    tls: tls === undefined ? undefined : readTls(blockOf(tls, "tls_server_config", refuse), { path, refuse }),
    users: readUsers(top["basic_auth_users"], refuse),
  };
}

/** Without anchors, which nobody needs here and which can make a small file large. */
function plainValue(document: Document.Parsed, refuse: Refuse): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw refuse(describeError(error));
  }
}

type Refuse = (problem: string) => OperatorError;
type Block = Readonly<Record<string, unknown>>;

function blockOf(value: unknown, name: string, refuse: Refuse): Block {
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw refuse(`${name} must be a block of keys`);
  return value as Block;
}

function refuseOthers(block: Block, { known, refuse }: { known: readonly string[]; refuse: Refuse }): void {
  const other = Object.keys(block).find((key) => !known.includes(key));
  if (other !== undefined) throw refuse(`${other} is not supported here: remove it (known: ${known.join(", ")})`);
}

function readTls(block: Block, { path, refuse }: { path: string; refuse: Refuse }): TlsFiles {
  refuseOthers(block, { known: tlsKeys, refuse });
  const textOf = (key: string) => {
    const value = block[key];
    if (value !== undefined && typeof value !== "string") throw refuse(`${key} must be a text`);
    return value === "" ? undefined : value;
  };
  // As in the toolkit, a relative path starts at the file that names it.
  const fileOf = (key: string) => {
    const value = textOf(key);
    return value === undefined ? undefined : resolve(dirname(path), value);
  };
  const versionOf = (key: string, unless: string) => {
    const given = textOf(key) ?? unless;
    const version = Object.hasOwn(versions, given) ? versions[given] : undefined;
    if (version === undefined) throw refuse(`${key} must be TLS12 or TLS13; got ${given}`);
    return version;
  };
  const [certFile, keyFile, clientCaFile] = [fileOf("cert_file"), fileOf("key_file"), fileOf("client_ca_file")];
  if (certFile === undefined || keyFile === undefined) throw refuse("tls_server_config needs cert_file and key_file");
  const clientAuth = textOf("client_auth_type") ?? "NoClientCert";
  if (clientAuth !== "NoClientCert" && clientAuth !== "RequireAndVerifyClientCert") {
    throw refuse(`client_auth_type must be NoClientCert or RequireAndVerifyClientCert; got ${clientAuth}`);
  }
  if ((clientAuth === "NoClientCert") !== (clientCaFile === undefined)) {
    throw refuse("client_ca_file and client_auth_type: RequireAndVerifyClientCert belong together");
  }
  const [minVersion, maxVersion] = [versionOf("min_version", "TLS12"), versionOf("max_version", "TLS13")];
  if (minVersion > maxVersion) throw refuse("min_version is above max_version");
  return { certFile, keyFile, clientCaFile, minVersion, maxVersion };
}

function readUsers(value: unknown, refuse: Refuse): ReadonlyMap<string, string> {
  const users = Object.entries(blockOf(value, "basic_auth_users", refuse));
  for (const [name, hash] of users) {
    if (typeof hash === "string" && bcryptHash.test(hash)) continue;
    throw refuse(`basic_auth_users: the password of ${name} must be a bcrypt hash (htpasswd -nBC 10 ${name})`);
  }
  return new Map(users as [string, string][]);
}

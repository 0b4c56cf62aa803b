import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { brotliCompress, constants, gzip } from "node:zlib";
import { promisify } from "node:util";

export type Encoding = "br" | "gzip" | "identity";

/** The same bytes in every encoding that a browser may ask for. */
export type Encoded = Readonly<Record<Encoding, Buffer>>;

export interface Asset {
  readonly type: string;
  readonly content: Encoded;
}

export interface Assets {
  /** `/assets/3f9a0c1b22e4`: another name for other contents, so that a browser may keep them for ever. */
  readonly path: string;
  readonly files: ReadonlyMap<string, Asset>;
}

const types: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

/** Reads and compresses the scripts of the client and what lies beside them, once. Throws when they are not there. */
export async function loadAssets(directory: string): Promise<Assets> {
  const files = (await listFiles(directory)).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  for (const name of ["main.js", "style.css"]) {
    if (!files.some((file) => file.name === name))
      throw new Error(`${join(directory, name)} is missing: was it built?`);
  }
  const hash = createHash("sha256");
  for (const { name, bytes } of files) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  const assets = files.map(async ({ name, bytes }) => {
    const type = types[extname(name)] ?? "application/octet-stream";
    return [name, { type, content: await encodeBest(bytes) }] as const;
  });
  return { path: `/assets/${hash.digest("hex").slice(0, 12)}`, files: new Map(await Promise.all(assets)) };
}

async function listFiles(directory: string): Promise<{ name: string; bytes: Buffer }[]> {
  const names = (await readdir(directory)).filter((name) => extname(name) in types);
  return Promise.all(names.map(async (name) => ({ name, bytes: await readFile(join(directory, name)) })));
}

async function encodeBest(bytes: Buffer): Promise<Encoded> {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const [br, zipped] = await Promise.all([compressBrotli(bytes, { params }), compressGzip(bytes, { level: 9 })]);
  return { br, gzip: zipped, identity: bytes };
}

/** The best of what a client says it takes (RFC 9110, 12.5.3); a quality of 0 means that it does not. */
export function chooseEncoding(accepted: string | undefined): Encoding {
  const offers = new Map(
    (accepted ?? "").split(",").map((offer) => {
      const [name = "", ...params] = offer.split(";").map((part) => part.trim().toLowerCase());
      return [name, params.some((param) => /^q=0(\.0*)?$/.test(param)) ? 0 : 1] as const;
    }),
  );
  for (const encoding of ["br", "gzip"] as const) if (offers.get(encoding) === 1) return encoding;
  return "identity";
}

/** For a page that is made for one answer: quickly, and almost as small. */
export async function encodeQuickly(text: string, encoding: Encoding): Promise<Buffer> {
  const bytes = Buffer.from(text);
  if (encoding === "br") return compressBrotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
  return encoding === "gzip" ? compressGzip(bytes, { level: 4 }) : bytes;
}

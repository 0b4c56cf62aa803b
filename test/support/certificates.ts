import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** A key and a certificate of its own for `localhost`, as openssl makes them. */
export async function makeCertificate(directory: string, name: string) {
  const [certFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  await execa("openssl", ["req", "-x509", "-days", "2", ...newKey, ...subject, "-out", certFile]);
  return { certFile, keyFile, certificate: await readFile(certFile, "utf8") };
}

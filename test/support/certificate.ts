import { join } from "node:path";
import { execa } from "execa";
import { makeTempDir } from "./temp-dir.ts";

/** A key and a certificate of this host for itself, in files that end with the test. */
export async function makeCertificate(): Promise<{ keyFile: string; certificateFile: string }> {
  const directory = await makeTempDir();
  const [keyFile, certificateFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  await execa("openssl", ["req", "-x509", ...made, "-keyout", keyFile, "-out", certificateFile, ...names]);
  return { keyFile, certificateFile };
}

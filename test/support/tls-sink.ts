import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { makeCertificate } from "./certificate.ts";

/** A web server on loopback with a certificate that it has made itself; it ends with the test. */
export async function startTlsSink(): Promise<{ url: string; received: string[] }> {
  const { keyFile, certificateFile } = await makeCertificate();
  const received: string[] = [];
  const server = createServer(
    { key: await readFile(keyFile), cert: await readFile(certificateFile) },
    (request, response) => {
      received.push(request.url ?? "");
      response.end();
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

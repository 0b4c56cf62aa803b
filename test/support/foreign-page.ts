import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** Starts the server of a stranger, whose every page is empty. `port` 0: any that is free. */
export async function startForeignServer(port = 0): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { "Content-Type": "text/html", Connection: "close" }).end("<!doctype html><p>elsewhere");
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return { port: (server.address() as AddressInfo).port, close };
}

/** What a page can try on a director besides moving the whole tab there; evaluated in the browser, as text. */
export interface Attempt {
  readonly name: string;
  /** Gives a text: what became of it, as far as the page can see. */
  readonly script: (director: string) => string;
}

const json = `headers: { "content-type": "application/json" }, body: '{"jobs":[]}'`;
const seen = `.then((answer) => answer.type + " " + answer.status, () => "refused")`;

/** `token`: the stranger has even got to know it. */
export function attemptsWith(token: string): Attempt[] {
  return [
    { name: "read with fetch", script: (url) => `fetch("${url}/api/v1/status")${seen}` },
    {
      name: "read with fetch and what the browser knows of logins",
      script: (url) => `fetch("${url}/api/v1/status", { credentials: "include" })${seen}`,
    },
    {
      name: "read with fetch and the token",
      script: (url) => `fetch("${url}/api/v1/status", { headers: { authorization: "Bearer ${token}" } })${seen}`,
    },
    {
      name: "read with EventSource",
      script: (url) => `new Promise((resolve) => {
        const source = new EventSource("${url}/api/v1/status/stream", { withCredentials: true });
        source.addEventListener("status", () => resolve("read"));
        source.addEventListener("error", () => resolve(source.readyState === EventSource.CLOSED ? "refused" : "again"));
      })`,
    },
    {
      name: "read as a script",
      script: (url) => `new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = "${url}/api/v1/status";
        script.addEventListener("load", () => resolve("read"));
        script.addEventListener("error", () => resolve("refused"));
        document.head.append(script);
      })`,
    },
    {
      name: "run with fetch",
      script: (url) => `fetch("${url}/api/v1/runs", { method: "POST", credentials: "include", ${json} })${seen}`,
    },
    {
      name: "run with fetch and the token",
      script: (url) =>
        `fetch("${url}/api/v1/runs", { method: "POST", body: '{"jobs":[]}', headers: { "content-type": "application/json", authorization: "Bearer ${token}" } })${seen}`,
    },
    {
      name: "run with a request that needs no leave",
      script: (url) =>
        `fetch("${url}/api/v1/runs", { method: "POST", mode: "no-cors", credentials: "include", body: '{"jobs":[]}' }).then(() => "sent", () => "refused")`,
    },
    {
      name: "run with a beacon",
      script: (url) =>
        `Promise.resolve(navigator.sendBeacon("${url}/api/v1/runs", '{"jobs":[]}') ? "sent" : "refused")`,
    },
  ];
}

/** A form that the stranger's page sends by itself; the tab goes where it leads. */
export function postForm(director: string, encoding: "text/plain" | "application/x-www-form-urlencoded"): string {
  return `(() => {
    const form = document.createElement("form");
    form.method = "post";
    form.action = "${director}/api/v1/runs";
    form.enctype = "${encoding}";
    const field = document.createElement("input");
    field.name = '{"jobs":[],"x":"';
    field.value = '"}';
    form.append(field);
    document.body.append(form);
    form.submit();
  })()`;
}

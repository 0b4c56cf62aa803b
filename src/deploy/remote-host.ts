import { readFile } from "node:fs/promises";
import { packageFile } from "../base/package-file.ts";
import type { RunTool } from "../base/tool-runner.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import { quoteForShell } from "../ssh/shell-protocol.ts";
import { sshCommand, sshDestination } from "../ssh/ssh-arguments.ts";
import type { InventoryHost } from "./inventory.ts";

export type RemoteResult =
  { readonly kind: "ok"; readonly output: string } | { readonly kind: "failed"; readonly message: string };

/** A host that is reached with the operator's own ssh client, keys and known_hosts. */
export interface RemoteHost {
  /** Has calls of resources/deploy.sh carried out, as root. Never rejects. */
  run(calls: string, timeoutMs: number): Promise<RemoteResult>;
}

/** Nothing of the operator's may be used from there, and a forgotten forwarding must not fail. */
const alone = [
  "-T",
  "-a",
  "-x",
  "-o",
  "ClearAllForwardings=yes",
  "-o",
  "RemoteCommand=none",
  "-o",
  "PermitLocalCommand=no",
];

export function openRemoteHost(host: InventoryHost, { runTool }: { runTool: RunTool }): RemoteHost {
  const endpoint: SshEndpoint = {
    host: host.address,
    user: host.user,
    port: host.port,
    identityFile: host.identityFile,
    knownHostsFile: host.knownHostsFile,
    hostKeyPolicy: "strict",
    connectTimeoutMs: 15_000,
    jumpHost: host.jumpHost,
    transport: "auto",
    options: {},
  };
  const [ssh, ...options] = sshCommand(endpoint);
  const shell = host.become ? "sudo -n /bin/sh -s" : "/bin/sh -s";
  const end = "rsyncdirector-deploy-end";
  return {
    run: async (calls, timeoutMs) => {
      const script = await readFile(packageFile("resources/deploy.sh"), "utf8");
      // The shell reads its program from standard input, which is no business of what it starts.
      const input = `${script}\n{\n${calls}\n} </dev/null\nprintf '%s\\n' ${end}\n`;
      const command = [ssh, ...alone, ...options, "--", sshDestination(endpoint), shell] as const;
      const { exitCode, stdout, stderr } = await runTool(command, { timeoutMs, input });
      const output = stdout.trimEnd();
      if (exitCode === 0 && output.endsWith(end)) return { kind: "ok", output: output.slice(0, -end.length) };
      const said = [...stderr.split("\n"), ...output.split("\n")].map((line) => line.trim()).filter(Boolean);
      const fallback = exitCode === null ? "no answer in time" : `the shell ended with exit status ${exitCode}`;
      return { kind: "failed", message: said.slice(-6).join("; ") || fallback };
    },
  };
}

/** A call with its words quoted, fed with `input` in base64: any byte arrives as it is. */
export function remoteCall([name, ...words]: readonly [string, ...string[]], input?: Buffer): string {
  const call = [name, ...words.map(quoteForShell)].join(" ");
  if (input === undefined) return call;
  const lines = input.toString("base64").replaceAll(/.{76}/g, "$&\n");
  return `${call} <<'RD_INPUT'\n${lines}\nRD_INPUT`;
}

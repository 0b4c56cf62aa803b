import type { KeptChild } from "../base/kept-child.ts";
import type { SshEndpoint } from "../config/resolved.ts";
import type { Connection, ConnectionDeps, ConnectResult } from "./connection.ts";
import { explainLogin, type Identities } from "./identities.ts";
import { classifyOpensshFailure } from "./openssh-failure.ts";
import { NoSftp } from "./sftp-session.ts";
import { NoShell, type ShellChannel, tellsOfSignal } from "./shell-channel.ts";
import { newNonce, readAnswerLine } from "./shell-protocol.ts";
import { sshCommand, sshDestination } from "./ssh-arguments.ts";

export interface OpensshPlan {
  /** `user@host:port`. */
  readonly name: string;
  readonly endpoint: SshEndpoint;
  readonly identities: Identities;
  readonly deps: ConnectionDeps;
}

const loginMs = 20_000;

/**
 * What an ssh configuration may ask for that would keep the client from feeding one plain shell over a
 * connection of its own: a shared master would outlive a connection that has to be given up.
 */
const plainShell = [
  ...["-T", "-a", "-x"],
  ...["RemoteCommand=none", "PermitLocalCommand=no", "ClearAllForwardings=yes"].flatMap((option) => ["-o", option]),
  ...["ControlMaster=no", "ControlPath=none"].flatMap((option) => ["-o", option]),
];

/**
 * Logs in with the OpenSSH client, for what ssh2 cannot do: one process of it per shell. Never
 * rejects; ends within the connect timeout plus 20 s.
 */
export async function openOpensshConnection(plan: OpensshPlan, reason: string): Promise<ConnectResult> {
  const { name, endpoint, deps } = plan;
  const first = await startShell(endpoint, deps, endpoint.connectTimeoutMs + loginMs);
  if (first.kind === "no-login") {
    const { kind, message } = classifyOpensshFailure(first.errorOutput, first.cause);
    const text = `cannot connect to ${name} with the ssh client (${reason}): ${message}`;
    return kind === "refused"
      ? { kind, message: explainLogin(text, plan.identities), contacted: true }
      : { kind, message: text };
  }
  return { kind: "connected", connection: wrap(plan, reason, first) };
}

function wrap(
  { name, endpoint, deps }: OpensshPlan,
  reason: string,
  first: Exclude<StartedShell, { kind: "no-login" }>,
): Connection {
  let proven: typeof first | undefined = first;
  let cause: string | undefined;
  const listeners: Array<(cause: string) => void> = [];
  const shells = new Set<ShellChannel>();
  const end = (why: string) => {
    if (cause !== undefined) return;
    cause = why;
    deps.log.debug({ host: name, cause }, "ssh client ended");
    for (const shell of shells) shell.close();
    for (const listener of listeners.splice(0)) listener(why);
  };
  if (first.kind === "shell") {
    shells.add(first.channel);
    first.channel.onClosed(() => end("the ssh client ended"));
  }
  return {
    name,
    carrier: { name: "openssh", reason },
    get closed() {
      return cause !== undefined;
    },
    onClosed: (listener) => void (cause === undefined ? listeners.push(listener) : listener(cause)),
    openShell: async (timeoutMs) => {
      const shell = proven ?? (await startShell(endpoint, deps, timeoutMs));
      proven = undefined;
      if (shell.kind === "no-login") throw new Error(shell.errorOutput.trim() || shell.cause);
      if (shell.kind === "no-shell") throw new NoShell(`the shell ended: ${shell.said}`);
      shells.add(shell.channel);
      if (cause !== undefined) shell.channel.close();
      return shell.channel;
    },
    openSftp: () => Promise.reject(new NoSftp("sftp through the ssh client is not available in this version")),
    openStream: () => Promise.reject(new Error("the ssh client carries no other connections")),
    destroy: end,
  };
}

type StartedShell =
  | { readonly kind: "shell"; readonly channel: ShellChannel }
  /** The login was good, and then something else than a shell answered. */
  | { readonly kind: "no-shell"; readonly said: string }
  | { readonly kind: "no-login"; readonly errorOutput: string; readonly cause: string };

/** The exit status of the ssh client itself, when it could not connect or log in. */
const clientFailure = 255;

/** Starts the client and waits until a shell on the other side has answered. */
function startShell(endpoint: SshEndpoint, deps: ConnectionDeps, timeoutMs: number): Promise<StartedShell> {
  const [file, ...args] = sshCommand(endpoint);
  const command = [file, ...plainShell, ...args, "--", sshDestination(endpoint), "/bin/sh -s"] as const;
  const nonce = newNonce();
  return new Promise((resolve) => {
    let output = "";
    let errorOutput = "";
    let channel: ReturnType<typeof channelOf> | undefined;
    const child = deps.startChild(command, {
      onOutput: (text) => {
        if (channel !== undefined) return channel.heard(text);
        output += text;
        const proof = findProof(output, nonce);
        if (proof === undefined) return;
        channel = channelOf(child);
        channel.heard(proof.rest);
        finish({ kind: "shell", channel: channel.channel });
      },
      onErrorOutput: (text) => {
        errorOutput = (errorOutput + text).slice(-8192);
        channel?.heardError(text);
      },
    });
    const finish = (started: StartedShell) => {
      cancelTimer();
      deps.signal.removeEventListener("abort", onAbort);
      if (started.kind !== "shell") child.stop();
      resolve(started);
    };
    const onAbort = () => finish({ kind: "no-login", errorOutput: "", cause: "given up" });
    deps.signal.addEventListener("abort", onAbort);
    const cancelTimer = deps.clock.setTimer(timeoutMs, () =>
      finish({ kind: "no-login", errorOutput, cause: "no answer in time" }),
    );
    void child.ended.then(({ exitCode, message }) => {
      if (exitCode === clientFailure || exitCode === null) {
        return finish({ kind: "no-login", errorOutput, cause: message });
      }
      const said = [...output.split("\n"), ...errorOutput.split("\n")].map((line) => line.trim()).filter(Boolean);
      finish({ kind: "no-shell", said: said.at(-1) ?? message });
    });
    child.write(`printf 'RD1 %s UP\\n' ${nonce}\n`);
  });
}

function findProof(output: string, nonce: string): { rest: string } | undefined {
  let start = 0;
  for (let end = output.indexOf("\n"); end !== -1; end = output.indexOf("\n", start)) {
    const line = readAnswerLine(output.slice(start, end));
    start = end + 1;
    if (line.kind === "answer" && line.nonce === nonce) return { rest: output.slice(start) };
  }
  return undefined;
}

/** What comes before anybody listens is kept for the first listener. */
function channelOf(child: KeptChild) {
  const kept = { output: "", errorOutput: "" };
  let onOutput: ((text: string) => void) | undefined;
  let onErrorOutput: ((text: string) => void) | undefined;
  const channel: ShellChannel = {
    write: (text) => child.write(text),
    onOutput: (listener) => {
      onOutput = listener;
      if (kept.output !== "") listener(kept.output);
    },
    onErrorOutput: (listener) => {
      onErrorOutput = listener;
      if (kept.errorOutput !== "") listener(kept.errorOutput);
    },
    onClosed: (listener) =>
      void child.ended.then(({ exitCode }) =>
        listener(exitCode !== null && exitCode !== clientFailure && !tellsOfSignal(exitCode)),
      ),
    close: () => child.stop(),
  };
  return {
    channel,
    heard: (text: string) => {
      if (onOutput === undefined) kept.output += text;
      else onOutput(text);
    },
    heardError: (text: string) => {
      if (onErrorOutput === undefined) kept.errorOutput += text;
      else onErrorOutput(text);
    },
  };
}

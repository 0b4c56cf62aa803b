import { beforeEach, describe, expect, it } from "vitest";
import { createRemoteShell } from "../../../src/ssh/remote-shell.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { createMemoryLog } from "../../support/memory-log.ts";

/** A channel whose other side is played by the test. */
class ScriptedChannel {
  sent: string[] = [];
  output: (text: string) => void = () => undefined;
  errorOutput: (text: string) => void = () => undefined;
  closed: (exited: boolean) => void = () => undefined;
  write = (text: string) => void this.sent.push(text);
  onOutput = (listener: (text: string) => void) => void (this.output = listener);
  onErrorOutput = (listener: (text: string) => void) => void (this.errorOutput = listener);
  onClosed = (listener: (exited: boolean) => void) => void (this.closed = listener);
  close = () => this.closed(false);
  /** The nonce of the n-th operation. */
  nonce(number: number): string {
    return /rd_nonce=([0-9a-f]{16})/.exec(this.sent[number] ?? "")?.[1] ?? "";
  }
}

describe("a remote shell", () => {
  let clock: FakeClock;
  let channel: ScriptedChannel;
  let broken: string[];
  let log: ReturnType<typeof createMemoryLog>;
  beforeEach(() => {
    clock = new FakeClock();
    channel = new ScriptedChannel();
    broken = [];
    log = createMemoryLog();
  });
  const open = () =>
    createRemoteShell({
      channel,
      prologue: "functions\n",
      operationTimeoutMs: 20_000,
      clock,
      log,
      onBroken: (cause) => broken.push(cause),
    });

  it("sends the prologue once and each operation in one write, without standard input", async () => {
    const shell = open();
    void shell.run("first");
    void shell.run("second");
    const nonce = channel.nonce(1);
    expect(channel.sent).toHaveLength(3);
    expect(channel.sent[0]).toBe("functions\n");
    const print = `printf '%sRD1 %s END\\n' "$rd_said" ${nonce}`;
    expect(channel.sent[1]).toBe(`{\nrd_nonce=${nonce} rd_said=\nfirst\n} </dev/null\n${print}\n`);
  });

  it("finds the answers between noise, in pieces of any size", async () => {
    const shell = open();
    const answer = shell.run("look");
    const nonce = channel.nonce(1);
    const text = `Welcome\nRD1 0123456789abcdef 0 ABSENT\nRD1 ${nonce} 0 HELD x\n\nRD1 ${nonce} 1 FIRST a  b \nRD1 ${nonce} END\n`;
    for (const character of text) channel.output(character);
    expect(await answer).toEqual({ kind: "answered", lines: ["0 HELD x", "1 FIRST a  b "] });
    expect(log.messages("debug")).toHaveLength(2);
  });

  it("does not take the answer of an earlier operation for that of a later one", async () => {
    const shell = open();
    const first = shell.run("first");
    const second = shell.run("second");
    const [one, two] = [channel.nonce(1), channel.nonce(2)];
    channel.output(`RD1 ${two} 0 ABSENT\nRD1 ${one} 0 HELD\nRD1 ${one} END\nRD1 ${one} 0 ABSENT\nRD1 ${two} END\n`);
    expect(await first).toEqual({ kind: "answered", lines: ["0 HELD"] });
    expect(await second).toEqual({ kind: "answered", lines: [] });
  });

  it("breaks when an operation takes too long, and then everything in it is unknown", async () => {
    const shell = open();
    const operations = [shell.run("first"), shell.run("second")];
    await clock.advance(19_999);
    expect(broken).toEqual([]);
    await clock.advance(1);
    const unknown = { kind: "unknown", detail: "no answer within 20 s" };
    expect(await Promise.all(operations)).toEqual([unknown, unknown]);
    expect(broken).toEqual(["no answer within 20 s"]);
    expect(shell.broken).toBe(true);
    expect(await shell.run("third")).toEqual(unknown);
    expect(channel.sent).toHaveLength(3);
  });

  it("counts the time of an operation from its turn", async () => {
    const shell = open();
    void shell.run("first");
    const second = shell.run("second");
    await clock.advance(15_000);
    channel.output(`RD1 ${channel.nonce(1)} END\n`);
    await clock.advance(15_000);
    channel.output(`RD1 ${channel.nonce(2)} END\n`);
    expect(await second).toEqual({ kind: "answered", lines: [] });
    expect(clock.pendingTimers).toBe(0);
  });

  it("is unknown when the connection goes, also with half an answer", async () => {
    const shell = open();
    const answer = shell.run("look");
    channel.output(`RD1 ${channel.nonce(1)} 0 ABSENT\n`);
    channel.closed(true);
    expect(await answer).toEqual({ kind: "unknown", detail: "the connection was lost" });
  });

  it("tells the last words of an account that has no shell", async () => {
    const shell = open();
    const answer = shell.run("look");
    channel.output("This account is not available.\n");
    channel.closed(true);
    const noShell = { kind: "no-shell", detail: "the shell ended: This account is not available." };
    expect(await answer).toEqual(noShell);
    expect(await shell.run("again")).toEqual(noShell);
  });

  it("is unknown when the connection goes before the first answer, whatever was printed", async () => {
    const shell = open();
    const answer = shell.run("look");
    channel.output("Welcome\n");
    channel.closed(false);
    expect(await answer).toEqual({ kind: "unknown", detail: "the shell ended: Welcome" });
  });
});

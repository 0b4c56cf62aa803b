import { EventEmitter } from "node:events";
import type { Client } from "ssh2";
import { beforeEach, describe, expect, it } from "vitest";
import { NoSftp, openSftpSession } from "../../../src/ssh/sftp-session.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A client whose answers come when the test says so, or never. */
class ScriptedClient extends EventEmitter {
  sftpObject = Object.assign(new EventEmitter(), { ended: false, end: () => void (this.sftpObject.ended = true) });
  give: (error: Error | undefined) => void = () => undefined;
  sftp(callback: (error: Error | undefined, sftp: unknown) => void): void {
    this.give = (error) => callback(error, this.sftpObject);
  }
}

describe("an sftp session", () => {
  let clock: FakeClock;
  let client: ScriptedClient;
  beforeEach(() => {
    clock = new FakeClock();
    client = new ScriptedClient();
  });
  const opening = () => openSftpSession(client as unknown as Client, 20_000, clock);
  const open = async () => {
    const session = opening();
    client.give(undefined);
    return session;
  };

  it("is not waited for longer than its time, nor beyond the end of the connection", async () => {
    const slow = opening();
    await Promise.all([expect(slow).rejects.toThrow("in time"), clock.advance(20_000)]);
    const lost = opening();
    client.emit("close");
    await expect(lost).rejects.toThrow("closed");
  });

  it("tells an account without sftp from a connection that failed", async () => {
    const denied = opening();
    client.give(new Error("Unable to start subsystem: sftp"));
    await expect(denied).rejects.toBeInstanceOf(NoSftp);
    const failed = opening();
    client.give(new Error("(SSH) Channel open failure: open failed"));
    await expect(failed).rejects.not.toBeInstanceOf(NoSftp);
  });

  it("gives up a request that is never called back, and all others with it", async () => {
    const session = await open();
    const answers = Promise.all([session.request(() => undefined), session.request(() => undefined)]);
    await clock.advance(20_000);
    const unknown = { kind: "unknown", detail: "no answer within 20 s" };
    expect(await answers).toEqual([unknown, unknown]);
    expect(session.closed).toBe(true);
    expect(client.sftpObject.ended).toBe(true);
    expect(await session.request(() => undefined)).toEqual(unknown);
    expect(clock.pendingTimers).toBe(0);
  });

  it("gives up what waits when the connection goes, which ssh2 tells nobody", async () => {
    const session = await open();
    const answer = session.request(() => undefined);
    client.emit("close");
    expect(await answer).toEqual({ kind: "unknown", detail: "the connection was lost" });
  });

  it("tells a status of the server from a session that broke off, and from an extension it lacks", async () => {
    const session = await open();
    const status = Object.assign(new Error("Failure"), { code: 4 });
    expect(await session.request((_, done) => done(status, undefined))).toEqual({
      kind: "failed",
      code: 4,
      message: "Failure",
    });
    const broken = await session.request((_, done) => done(new Error("No response from server"), undefined));
    expect(broken).toEqual({ kind: "unknown", detail: "No response from server" });
    const missing = await session.request(() => {
      throw new Error("Server does not support this extended request");
    });
    expect(missing).toEqual({ kind: "unsupported" });
    expect(await session.request((_, done) => done(undefined, 7))).toEqual({ kind: "ok", value: 7 });
  });
});

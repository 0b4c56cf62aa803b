import { cp, rm } from "node:fs/promises";
import { startSshd, type TestSshd } from "./sshd.ts";

/** A host that goes down and comes back with the same keys at the same place. */
export interface FailingSshd {
  /** Where it is, also while it is down. */
  readonly place: TestSshd;
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  /** Ends it for good. */
  stop(): Promise<void>;
}

export async function startFailingSshd(): Promise<FailingSshd> {
  const first = await startSshd();
  const directory = `${first.directory}-kept`;
  await cp(first.directory, directory, { recursive: true });
  await first.stop();
  const start = () => startSshd({ directory, port: first.port });
  const place = await start();
  let running: TestSshd | undefined = place;
  const goDown = async () => {
    await running?.stop();
    running = undefined;
  };
  return {
    place,
    goDown,
    comeBack: async () => void (running ??= await start()),
    stop: async () => {
      await goDown();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

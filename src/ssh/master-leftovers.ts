import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { RunTool } from "../base/tool-runner.ts";
import { askHello, hangsUp } from "./master-hello.ts";
import { isOwnSocket, removeSocket, type SocketDirectory } from "./socket-directory.ts";

const helloMs = 2000;
/** It listens, so that it is worth waiting until ssh has told it. */
const endMs = 10_000;

/**
 * Ends the masters that an earlier life of this instance left, and removes their sockets. As a rule the kernel has ended
 * them together with the director; where `setpriv` is missing they live on.
 */
export async function endLeftMasters(
  directory: SocketDirectory,
  deps: { runTool: RunTool; clock: Clock; log: Logger },
): Promise<void> {
  const { runTool, clock, log } = deps;
  const sockets = (await directory.entries()).filter(isOwnSocket);
  await Promise.all(
    sockets.map(async (socket) => {
      const answer = await askHello(socket, { timeoutMs: helloMs, clock });
      if (answer === "answers") {
        const ask = ["ssh", "-F", "none", "-o", `ControlPath=${socket}`, "-O", "exit", "--", "master"] as const;
        const hasEnded = hangsUp(socket, { limitMs: endMs, clock });
        const { exitCode, stderr } = await runTool(ask, { timeoutMs: endMs });
        const message = (await hasEnded)
          ? "ended an ssh master of an earlier life"
          : "an ssh master of an earlier life could not be ended: nobody will use it";
        log.warn({ socket, exitCode, said: stderr.trim() }, message);
      } else if (answer === "silent") {
        log.warn({ socket }, "an ssh master of an earlier life does not answer: nobody will use it");
      }
      await removeSocket(socket);
    }),
  );
}

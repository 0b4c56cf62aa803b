import { AbortReason, childController } from "../../base/abort.ts";
import { nextTurn } from "../../base/next-turn.ts";
import { quoteWord } from "../../base/shell-words.ts";
import type { ActionOutcome } from "../../model/run.ts";
import { csync2File } from "./csync2-words.ts";
import { meaningOfAnswer, meaningOfComplaints } from "./csync2-remedies.ts";
import { type CallResult, type Csync2Work, runCsync2 } from "./run-csync2.ts";
import { createCauseReader, createUpdateReader, type RefusalCause, type UpdateOutput } from "./update-output.ts";

/** How the update of one peer went; whether it has everything now only the list of dirty files says. */
export type PeerUpdate =
  | { readonly kind: "done"; readonly handled: number }
  | { readonly kind: "failed"; readonly message: string; readonly retryable: boolean }
  /** It refused files, but nothing when it was asked why: a failure only if they still wait when all is done. */
  | { readonly kind: "unexplained"; readonly message: string }
  /** The whole action ends with this. */
  | { readonly kind: "ended"; readonly outcome: ActionOutcome };

/** How a try went: a conflict may still turn out to be none. */
export type UpdateAttempt = PeerUpdate | { readonly kind: "conflict"; readonly message: string };

/** More files than this are not asked about one by one. */
const mostAsked = 20;
const mostNamed = 5;

/** Lets csync2 bring its marked files to one peer, and finds out why it could not. */
export async function updatePeer(work: Csync2Work, peer: string): Promise<UpdateAttempt> {
  const { result, output, silent } = await runUpdate(work, peer);
  if (result.kind === "broken") {
    if (silent) {
      const message = `${peer} does not answer (no connection in ${work.action.ssh.connectTimeoutMs / 1000} s): its files stay marked`;
      return { kind: "failed", message, retryable: true };
    }
    const { process } = result;
    // csync2 does not expect a connection to end while it agrees on SSL, and dies of the signal.
    if (process.kind === "signalled" && process.signal === "SIGPIPE" && process.stoppedBy === null) {
      const message = `${peer} closed the connection at once: its csync2 may lack a certificate, or nossl differs from this host's`;
      return { kind: "failed", message, retryable: true };
    }
    return { kind: "ended", outcome: result.outcome };
  }
  const { code } = result;
  if (code === 0 && output.errors === 0 && output.complaints.length === 0 && output.left.length === 0) {
    return { kind: "done", handled: output.handled };
  }
  return explain(work, peer, { code, output });
}

async function runUpdate(
  work: Csync2Work,
  peer: string,
): Promise<{ result: CallResult; output: UpdateOutput; silent: boolean }> {
  const { context, deps, action } = work;
  const reader = createUpdateReader();
  const controller = childController(context.signal);
  let silent = false;
  // A host that drops packets would otherwise hold up the others for as long as the kernel tries.
  const tooLong = async () => {
    // After a time in which this process stood still, what csync2 has said meanwhile is only read now.
    await nextTurn();
    await nextTurn();
    silent = !reader.output().connected;
    if (silent) controller.abort(new AbortReason("stalled", `${peer} does not answer`));
  };
  let cancelTimer: (() => void) | undefined;
  const result = await runCsync2(work, ["-u", "-v", "-P", peer], {
    signal: controller.signal,
    onLine: (_stream, line) => {
      reader.addLine(line);
      if (line.startsWith("Connecting to host ")) {
        cancelTimer ??= deps.clock.setTimer(action.ssh.connectTimeoutMs, () => void tooLong());
      }
    },
  });
  cancelTimer?.();
  controller.dispose();
  return { result, output: reader.output(), silent: silent && !context.signal.aborted };
}

async function explain(
  work: Csync2Work,
  peer: string,
  { code, output }: { code: number; output: UpdateOutput },
): Promise<UpdateAttempt> {
  const { action, words } = work;
  const about = { file: csync2File(action), config: action.config, peer };
  if (output.left.length > 0) {
    const asked = output.left.slice(0, mostAsked);
    const causes = await askForCauses(work, peer, asked);
    if (!("causes" in causes)) return causes;
    const conflicts = asked.filter((file) => causes.causes.get(file)?.kind === "conflict");
    if (conflicts.length > 0) return { kind: "conflict", message: conflictMessage(conflicts) };
    const refused = asked.flatMap((file) => {
      const cause = causes.causes.get(file);
      return cause?.kind === "other" ? [{ file, answer: cause.answer }] : [];
    });
    const [first] = refused;
    if (first !== undefined) {
      const message = `${meaningOfAnswer(first.answer, peer)} (${some(asked, output.left.length)})`;
      return { kind: "failed", message, retryable: true };
    }
    return { kind: "unexplained", message: `${peer} did not take ${some(asked, output.left.length)}` };
  }
  const known = meaningOfComplaints(output.complaints, about);
  if (known !== undefined) return { kind: "failed", message: known.message, retryable: known.passing };
  const detail = output.complaints[0] ?? (output.errors === null ? "it did not say that it had finished" : undefined);
  const message = `csync2 ended with ${code} for ${peer}${detail === undefined ? "" : `: ${detail}`}`;
  return { kind: "failed", message, retryable: true };

  function conflictMessage(files: readonly string[]): string {
    const which = some(files, files.length);
    const [first = ""] = files;
    const force = ["-f", "-u"].map((mode) => [...words, mode, first].map(quoteWord).join(" ")).join(" && ");
    return `conflict: ${which} was changed on ${peer} too, and nothing was overwritten; choose who wins: run ${force} here, or csync2 -f FILE && csync2 -u FILE on ${peer}`;
  }
}

/** Tries the files once more, so talkative that the peer's answers can be seen. */
async function askForCauses(
  work: Csync2Work,
  peer: string,
  files: readonly string[],
): Promise<{ causes: ReadonlyMap<string, RefusalCause> } | Extract<PeerUpdate, { kind: "ended" }>> {
  const reader = createCauseReader();
  // csync2 takes a name with a prefix in place of its directory for a path of its own.
  const named = files.some((file) => file.startsWith("%")) ? [] : files;
  const result = await runCsync2(work, ["-u", "-vvv", "-P", peer, ...named], {
    silent: true,
    onLine: (_stream, line) => reader.addLine(line),
  });
  if (result.kind === "broken" && result.outcome.kind === "cancelled") {
    return { kind: "ended", outcome: result.outcome };
  }
  return { causes: reader.causes() };
}

function some(files: readonly string[], total: number): string {
  const named = files.slice(0, mostNamed);
  const more = total - named.length;
  return `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

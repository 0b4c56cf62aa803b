import type { ActionOutcome, ActionReport } from "../../model/run.ts";
import type { OutputTail } from "../../process/output-tail.ts";
import { dirtyFor, type DirtyFile } from "./dirty-list.ts";
import type { PeerResult } from "./update-peers.ts";

interface PeersAtEnd {
  readonly peers: readonly string[];
  /** Of those that something waited for. */
  readonly updates: ReadonlyMap<string, PeerResult>;
  /** What csync2 lists as not sent when all is done. */
  readonly left: readonly DirtyFile[];
  readonly mode: "check" | "update";
  /** Paths that no group includes. */
  readonly ignored: readonly string[];
  readonly tail: OutputTail;
  readonly report: () => ActionReport;
}

/** The outcome of the action: well only when every peer has everything. Each peer gets a line in the report. */
export function outcomeOfPeers(end: PeersAtEnd): ActionOutcome {
  const failures: { message: string; retryable: boolean }[] = [];
  const warnings: string[] = [];
  for (const peer of end.peers) {
    const update = end.updates.get(peer);
    if (update?.kind === "ended") return update.outcome;
    const waiting = dirtyFor(end.left, peer).length;
    const count = `${waiting} ${waiting === 1 ? "file waits" : "files wait"}`;
    if (update?.rsyncProblem !== undefined) {
      warnings.push(`${peer}: ${update.rsyncProblem}; csync2 carried everything itself`);
    }
    if (update?.kind === "failed") {
      failures.push({ message: `${peer}: ${update.message} (${count})`, retryable: update.retryable });
    } else if (update?.kind === "unexplained" && waiting > 0) {
      failures.push({ message: `${peer}: ${update.message} (${count})`, retryable: true });
    } else if (waiting > 0 && end.mode === "update") {
      const [first] = dirtyFor(end.left, peer);
      const message = `${peer}: ${count} although csync2 reported no error (${first?.path ?? ""})`;
      failures.push({ message, retryable: true });
    } else if (waiting > 0) {
      warnings.push(`${peer}: ${count} to be sent`);
    } else {
      end.tail.addLine(`${peer}: has everything`);
    }
  }
  if (end.ignored.length > 0) {
    warnings.push(`no csync2 group of this host includes ${end.ignored.slice(0, 5).join(", ")}`);
  }
  for (const { message } of failures) end.tail.addLine(message);
  const report = end.report();
  if (failures.length > 0) {
    return {
      ...{ kind: "failed", cause: "exit", report },
      message: [...failures.map(({ message }) => message), ...warnings].join("; "),
      // Another try helps those that were away; a conflict waits for a person.
      retryable: failures.some(({ retryable }) => retryable),
    };
  }
  return warnings.length > 0 ? { kind: "warning", message: warnings.join("; "), report } : { kind: "ok", report };
}

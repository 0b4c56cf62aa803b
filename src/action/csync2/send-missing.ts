import { lstat } from "node:fs/promises";
import { redactArgv } from "../../base/redact.ts";
import type { SshEndpoint } from "../../config/resolved.ts";
import type { ActionOutcome } from "../../model/run.ts";
import { asShown, buildRsyncCommand, type RsyncCommandSpec } from "../../rsync/command.ts";
import { meaningOf } from "../../rsync/exit-codes.ts";
import { runRsync } from "../../rsync/run-rsync.ts";
import { childOptions, childSpec } from "../child-options.ts";
import { endOfWay } from "../remote-way.ts";
import { outcomeOf, reportOf } from "../process-outcome.ts";
import type { DirtyFile } from "./dirty-list.ts";
import type { Csync2Work } from "./run-csync2.ts";

export type Sent =
  | { readonly kind: "sent"; readonly files: number }
  /** csync2 will carry everything itself. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "ended"; readonly outcome: ActionOutcome };

/**
 * Copies with one rsync what the peer does not have, for csync2 needs a dialogue for each file. Nothing that is
 * there is touched and nothing deleted: only csync2 can tell whether it was changed there too. csync2's own
 * update afterwards finds the files equal and lets both databases know.
 */
export async function sendMissing(work: Csync2Work, peer: string, files: readonly DirtyFile[]): Promise<Sent> {
  const { job, action, context, deps, tail } = work;
  const list = await listOfFiles(files);
  if (list.length === 0) return { kind: "sent", files: 0 };
  const endpoint = endpointOf(work, peer);
  const way = await deps.remoteShell(endpoint, context.signal);
  const spec: RsyncCommandSpec = {
    sources: ["/"],
    dest: "/",
    options: { archive: true, numericIds: true, ignoreExisting: true },
    opts: ["--files-from=-", "--from0", "--no-implied-dirs"],
    remote: { host: endpoint.host, user: endpoint.user, side: "dest", shell: way.shell, shownShell: way.shown },
    dryRun: false,
  };
  const argv = buildRsyncCommand(spec);
  const shown = redactArgv(buildRsyncCommand(asShown(spec)));
  tail.addLine(`+ ${shown.join(" ")}`);
  const result = await runRsync(
    { ...childSpec(argv, action.id, { context, deps }), stdin: { text: list.map((path) => `${path}\0`).join("") } },
    {
      ...childOptions(job, { context, deps }),
      onOutput: (stream, line) => {
        tail.addLine(line);
        context.onOutput(stream, line);
      },
      onProgress: (progress) => context.onProgress(progress),
    },
  ).catch((error: unknown) => {
    way.giveBack?.("broken");
    throw error;
  });
  const report = reportOf(result.process, { argv: shown, output: tail.text(), stats: result.stats });
  const outcome = outcomeOf(result.process, {
    name: "rsync",
    signal: context.signal,
    report,
    judge: (code) => {
      // A file that vanished since the list was made is csync2's to notice.
      if (code === 0 || code === 24) return { kind: "ok", report };
      const detail = result.firstError === undefined ? "" : ` (${result.firstError})`;
      const message = `rsync ended with ${code}: ${meaningOf(code).meaning}${detail}`;
      return { kind: "failed", cause: "exit", message, retryable: false, report };
    },
  });
  way.giveBack?.(endOfWay(outcome));
  if (outcome.kind === "cancelled" || result.process.survivors.length > 0) return { kind: "ended", outcome };
  if (outcome.kind === "failed") return { kind: "failed", message: outcome.message };
  return { kind: "sent", files: list.length };
}

/** Plain files and links that are there; directories are csync2's, so that it decides about their attributes. */
async function listOfFiles(files: readonly DirtyFile[]): Promise<string[]> {
  const list: string[] = [];
  for (const { path, forced } of files) {
    // A prefix stands for another directory on the peer; a broken character for a name that is not in UTF-8.
    if (forced || !path.startsWith("/") || path.includes("\uFFFD")) continue;
    const found = await lstat(path).catch(() => undefined);
    if (found?.isFile() === true || found?.isSymbolicLink() === true) list.push(path.slice(1));
  }
  return list;
}

/** A target of the job of that name, or the peer by the job's own keys. */
function endpointOf({ job, action }: Csync2Work, peer: string): SshEndpoint {
  const target = job.targets.find(
    ({ id, endpoint }) => endpoint !== undefined && [id, endpoint.host].some((name) => name.toLowerCase() === peer),
  );
  return target?.endpoint ?? { ...action.ssh, host: peer };
}

import { loadConfig } from "../../config/load.ts";
import { historyFile } from "../../daemon/paths.ts";
import { readHistory } from "../../store/open-history.ts";
import type { CommandContext } from "../command-context.ts";
import { configPath } from "../config-option.ts";
import { formatTime } from "../output.ts";
import type { Candidate, KnownWords } from "./complete-words.ts";

/** Reads jobs and runs where they are written. What cannot be read is not completed: a shell is no place to complain. */
export function readKnownWords({ env }: Pick<CommandContext, "env">): KnownWords {
  const load = async (option: string | undefined) => (await loadConfig(configPath(option, env), { env })).config;
  const orNothing = (candidates: Promise<Candidate[]>) => candidates.catch(() => []);
  return {
    jobs: (option) =>
      orNothing(
        load(option).then(({ jobs }) =>
          jobs.map(({ id, enabled, actions }) => ({
            word: id,
            about: enabled ? actions.map((action) => action.id).join(", ") : "disabled",
          })),
        ),
      ),
    runs: (option) => orNothing(load(option).then(async (config) => lastRuns(historyFile(config, env)))),
  };
}

async function lastRuns(file: string): Promise<Candidate[]> {
  const history = await readHistory(file);
  try {
    return (history?.listRuns({ limit: 20 }) ?? []).map(({ runId, startedAt, outcome, requestedJobs }) => ({
      word: runId,
      about: `${outcome}, ${formatTime(startedAt)}, ${requestedJobs.join(" ")}`,
    }));
  } finally {
    history?.close();
  }
}

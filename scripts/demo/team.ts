import { type DirectorProcess, startDirectorProcess } from "../../test/support/director-process.ts";
import type { DirectorFiles } from "./configs.ts";
import { waitForMetrics } from "./metrics.ts";
import type { Colour } from "./screen.ts";
import { followDirector, isRunFinished } from "./timeline.ts";

export interface Member {
  readonly name: string;
  readonly config: string;
  readonly port: number;
  readonly director: DirectorProcess;
  readonly story: { readonly colour: Colour; readonly text: string };
}

export interface Team {
  readonly members: readonly [laptop: Member, backup: Member];
  /** When the act began; the timeline counts from here. */
  startedAt: number;
}

/** Starts both directors and waits until they answer. Ends them again when one does not. */
export async function startDirectors(files: DirectorFiles, ports: { laptop: number; backup: number }): Promise<Team> {
  const start = (name: string, config: string, port: number, story: Member["story"]): Member => ({
    ...{ name, config, port, story },
    director: startDirectorProcess(["start", "--config", config]),
  });
  const members: Team["members"] = [
    start("laptop01", files.laptop, ports.laptop, { colour: "cyan", text: "pushes its data to backup01" }),
    start("backup01", files.backup, ports.backup, { colour: "magenta", text: "pushes its data to backup-remote" }),
  ];
  const team: Team = { members, startedAt: Date.now() };
  try {
    await Promise.all(members.map(ready));
  } catch (error) {
    await endTeam(team);
    throw error;
  }
  for (const { name, director, story } of members) {
    followDirector(name, story.colour, director, () => team.startedAt);
  }
  return team;
}

async function ready({ name, director, port }: Member): Promise<void> {
  const ended = director.exited.then((status) => {
    const log = director.lines.map((line) => JSON.stringify(line)).join("\n");
    throw new Error(`the director of ${name} ended with ${status}:\n${log}\n${director.errors()}`);
  });
  await Promise.race([waitForMetrics(port), ended]);
}

/**
 * Nothing of the demo lives on, whatever went wrong: a director that is asked stops its rsync and frees
 * its locks; one that has not done so after half a minute is killed.
 */
export async function endTeam({ members }: Team): Promise<void> {
  for (const { director } of members) director.signal("SIGTERM");
  const timer = setTimeout(() => {
    for (const { director } of members) director.signal("SIGKILL");
  }, 30_000);
  await Promise.all(members.map(({ director }) => director.exited));
  clearTimeout(timer);
}

/** How the next run of each director ends, by the director's name. */
export async function waitForRuns({ members }: Team): Promise<ReadonlyMap<string, string>> {
  const outcomes = await Promise.all(
    members.map(async ({ name, director }) => {
      const since = director.lines.length;
      const line = await director.waitForLine(isRunFinished, { since, timeoutMs: 180_000 });
      return [name, String(line.outcome)] as const;
    }),
  );
  return new Map(outcomes);
}

import { once } from "node:events";
import { freePort } from "../../test/support/sshd.ts";
import { playAct } from "./act.ts";
import { checkStopped } from "./checks.ts";
import { writeConfigs } from "./configs.ts";
import { buildHouse, type House } from "./house.ts";
import { interestingMetrics } from "./metrics.ts";
import { heading, paint, say } from "./screen.ts";
import { endTeam, startDirectors, type Team } from "./team.ts";
import { homeFiles, writeTree } from "./trees.ts";
import { whatToTry } from "./what-to-try.ts";

const keep = process.argv.includes("--keep");
const withSsh = !process.argv.includes("--local");

const interruption = new AbortController();
const interrupted = once(interruption.signal, "abort").then(() => "interrupted" as const);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interruption.abort());

const house = await buildHouse(withSsh);
let good = false;
try {
  good = await demonstrate(house);
} catch (error) {
  say(`\n${error instanceof Error ? error.message : String(error)}`);
} finally {
  await house.close();
}
say(
  good
    ? `\n${paint("green", "The demo is good: everything above was checked, and nothing of it is left on this machine.")}`
    : `\n${paint("red", "The demo FAILED; see above.")}`,
);
process.exitCode = good ? 0 : 1;

async function demonstrate({ laptop, backup, all }: House): Promise<boolean> {
  heading("Three hosts");
  for (const { name, disk, sshd } of all) {
    say(`  ${name.padEnd(14)} ${disk}${sshd === undefined ? "" : `   sshd on ${sshd.host}:${sshd.port}`}`);
  }
  await writeTree(`${laptop.disk}/data`, homeFiles(4_000_000));
  await writeTree(`${backup.disk}/data`, homeFiles(3_000_000));

  const ports = { laptop: await freePort(), backup: await freePort() };
  const team = await startDirectors(await writeConfigs(house, ports), ports);
  try {
    heading("Two directors; each waits for the other's lock on backup01");
    for (const { name, config, director, story } of team.members) {
      say(`  ${paint(story.colour, name.padEnd(10))} ${story.text}  (pid ${director.pid}, ${config})`);
    }
    const played = play(team);
    played.catch(() => undefined); // When the demo is interrupted, nobody waits for it any more.
    const ended = await Promise.race([played, interrupted]);
    if (ended === "interrupted") throw new Error("interrupted");
    await showMetrics(team);
    if (keep) {
      whatToTry(team, house);
      await interrupted;
    }
    heading("SIGTERM to both");
    return (await checkStopped(team, house)) && ended;
  } finally {
    await endTeam(team);
  }
}

async function play(team: Team): Promise<boolean> {
  const [laptop, backup] = team.members;
  const first = await playAct("SIGHUP to both at once: one is first, the other waits", {
    ...{ house, team, signal: interruption.signal },
    send: () => {
      laptop.director.signal("SIGHUP");
      backup.director.signal("SIGHUP");
    },
  });
  await writeTree(`${house.laptop.disk}/data`, homeFiles(2_000_000));
  interruption.signal.throwIfAborted();
  const second = await playAct("New data on laptop01; it is first now, and backup01 is asked while it writes", {
    ...{ house, team, signal: interruption.signal },
    send: async () => {
      const since = laptop.director.lines.length;
      laptop.director.signal("SIGHUP");
      await laptop.director.waitForLine(({ msg }) => msg === "action started", { since });
      backup.director.signal("SIGHUP");
    },
  });
  return first && second;
}

async function showMetrics({ members }: Team): Promise<void> {
  heading("What Prometheus sees");
  for (const { name, story, port } of members) {
    for (const line of await interestingMetrics(port)) say(`  ${paint(story.colour, name.padEnd(10))} ${line}`);
  }
}

import { join } from "node:path";
import type { House } from "./house.ts";
import { metricsUrl } from "./metrics.ts";
import { heading, paint, say } from "./screen.ts";
import type { Team } from "./team.ts";

/** Prints commands for another terminal, for as long as the demo goes on. */
export function whatToTry({ members }: Team, { backup, laptop }: House): void {
  const program = "node dist/main.js";
  const lock = join(backup.disk, "locks", "laptop01-is-syncing");
  heading("All of it goes on running. In another terminal, from this directory:");
  for (const { name, config, director, port } of members) {
    say(`  ${paint("bold", name)}`);
    say(`    kill -HUP ${director.pid}    # run its job now`);
    say(`    curl -s ${metricsUrl(port)} | grep -v '^#'`);
    say(`    ${program} history --config ${config}`);
    say(`    ${program} run --dry-run --config ${config}`);
  }
  say(`  ${paint("bold", "a lock of your own: backup01 waits until you remove it")}`);
  say(`    echo $$ > ${lock}; kill -HUP ${members.find(({ name }) => name === backup.name)?.director.pid}`);
  say(`    rm ${lock}`);
  say(`  ${paint("bold", "new data to copy")}`);
  say(`    date > ${join(laptop.disk, "data", "notes", "now.md")}`);
  say(`  ${paint("bold", "Ctrl-C here stops and removes everything.")}`);
}

// Proves the lock protocol: runs spin over the models of test/model. See --help.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { missingTools } from "../tools.mjs";
import { configurations } from "./configurations.mjs";
import { hashOf, isKept, keep } from "./kept-searches.mjs";
import { describeResult, describeTotal, tableHead } from "./report.mjs";
import { search } from "./spin.mjs";
import { isAsExpected } from "./spin-output.mjs";

const help = `Usage: node scripts/model/run.mjs [options] [CONFIGURATION...]

Searches every configuration of the lock model, or those named. Status 0: everything as expected.

  --list        name the configurations
  --show        print the history that spin found, step by step
  --deep        the searches of several minutes too
  --jobs N      searches side by side (default: up to 2)
  --timeout N   seconds for one search (default 300, for a deep one 3600)
  --memory N    MB for one search (default 6000)
  --within N    begin no search after N seconds: the known mistakes first, then the others in a random order
  --keep        write the figures of what is as expected to test/model/searched.json and docs/lock-model.md
  --outdated    only what those have no figures of, or figures of another model
  --json        one JSON object per configuration; the table goes to stderr

EXAMPLES
  node scripts/model/run.mjs pair-hold
  node scripts/model/run.mjs --show look-before-claim
  node scripts/model/run.mjs --keep --outdated
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    show: { type: "boolean", default: false },
    deep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    outdated: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    jobs: { type: "string", default: String(Math.min(2, availableParallelism())) },
    timeout: { type: "string" },
    memory: { type: "string", default: "6000" },
    within: { type: "string" },
  },
});

process.exitCode = await main();

async function main() {
  const unknown = positionals.filter((name) => !configurations.some((configuration) => configuration.name === name));
  if (values.help || unknown.length > 0) {
    for (const name of unknown) console.error(`model: there is no configuration "${name}" (see --list)`);
    if (values.help) console.log(help);
    return unknown.length > 0 ? 2 : 0;
  }
  const wanted = configurations
    .filter(({ name, deep }) => (positionals.length > 0 ? positionals.includes(name) : !deep || values.deep))
    .filter((configuration) => !values.outdated || !isKept(configuration));
  if (values.list) {
    for (const each of wanted)
      console.log(values.json ? JSON.stringify(each) : `${each.name.padEnd(26)} ${each.about}`);
    return 0;
  }
  if (!toolsAreThere()) return 1;
  say(tableHead());
  const results = await searchAll(wanted);
  say(describeTotal(results, wanted.length));
  return results.every(isAsExpected) ? 0 : 1;
}

function toolsAreThere() {
  const tools = ["spin", "gcc"];
  if (missingTools(tools).length > 0) {
    const prepare = join(import.meta.dirname, "..", "prepare.mjs");
    spawnSync(process.execPath, [prepare, ...tools], { stdio: ["ignore", 2, 2] });
  }
  const missing = missingTools(tools);
  if (missing.length > 0) console.error(`model: not installed here: ${missing.join(", ")}`);
  return missing.length === 0;
}

/** For people. */
function say(line) {
  if (values.json) console.error(line);
  else console.log(line);
}

async function searchAll(wanted) {
  const timeoutOf = ({ deep }) => 1000 * Number(values.timeout ?? (deep ? 3600 : 300));
  const end = values.within === undefined ? Infinity : performance.now() + 1000 * Number(values.within);
  const waiting = values.within === undefined ? [...wanted] : inPartOrder(wanted);
  const results = [];
  const work = async () => {
    while (waiting.length > 0 && performance.now() < end) {
      const next = waiting.shift();
      const hash = hashOf(next);
      const result = { ...next, ...(await search(next, { timeout: timeoutOf(next), memory: Number(values.memory) })) };
      results.push(result);
      print(result);
      if (values.keep && isAsExpected(result)) keep(result, { hash, ...today() });
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  return results;
}

function today() {
  const [version = "spin"] = spawnSync("spin", ["-V"], { encoding: "utf8" }).stdout.split(" --");
  return { date: new Date().toISOString().slice(0, 10), spin: version.trim() };
}

/** A mistake is found at once; two searches show that every step is taken; of the others each gets its turn some day. */
function inPartOrder(wanted) {
  const rank = ({ name, breaks }) => {
    if (breaks !== null) return 0;
    return ["pair-hold", "trio-crash"].includes(name) ? 1 : 2 + Math.random();
  };
  return wanted
    .map((configuration) => ({ configuration, rank: rank(configuration) }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ configuration }) => configuration);
}

function print(result) {
  if (values.json) console.log(JSON.stringify(result));
  say(describeResult(result));
  if (!values.show && isAsExpected(result)) return;
  for (const line of result.history) say(`    ${line}`);
  if (result.violated !== null) say(`    ${result.violated} is violated`);
}

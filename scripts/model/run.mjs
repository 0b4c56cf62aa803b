// Proves the lock protocol: runs spin over the models of test/model. See --help.
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { missingTools } from "../tools.mjs";
import { configurations } from "./configurations.mjs";
import { describeResult, describeTotal, isAsExpected, tableHead } from "./report.mjs";
import { search } from "./spin.mjs";

const help = `Usage: node scripts/model/run.mjs [options] [CONFIGURATION...]

Searches every configuration of the lock model, or those named. Status 0: everything as expected.

  --list        name the configurations
  --show        print the history that spin found, step by step
  --deep        the searches of several minutes too
  --jobs N      searches side by side (default: up to 2)
  --timeout N   seconds for one search (default 300, with --deep 3600)
  --memory N    MB for one search (default 6000)
  --within N    begin no search after N seconds: the known mistakes first, then the others in a random order
  --json        one JSON object per configuration

EXAMPLES
  node scripts/model/run.mjs pair-hold
  node scripts/model/run.mjs --show look-before-claim
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    show: { type: "boolean", default: false },
    deep: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
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
  const wanted = configurations.filter(({ name, deep }) =>
    positionals.length > 0 ? positionals.includes(name) : !deep || values.deep,
  );
  if (values.list) {
    for (const each of wanted)
      console.log(values.json ? JSON.stringify(each) : `${each.name.padEnd(26)} ${each.about}`);
    return 0;
  }
  if (!toolsAreThere()) return 1;
  if (!values.json) console.log(tableHead());
  const results = await searchAll(wanted);
  if (!values.json) console.log(describeTotal(results));
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

async function searchAll(wanted) {
  const timeout = 1000 * Number(values.timeout ?? (values.deep ? 3600 : 300));
  const end = values.within === undefined ? Infinity : performance.now() + 1000 * Number(values.within);
  const waiting = values.within === undefined ? [...wanted] : inPartOrder(wanted);
  const results = [];
  const work = async () => {
    while (waiting.length > 0 && performance.now() < end) {
      const next = waiting.shift();
      const result = { ...next, ...(await search(next, { timeout, memory: Number(values.memory) })) };
      results.push(result);
      print(result);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  return results;
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
  if (values.json) return console.log(JSON.stringify(result));
  console.log(describeResult(result));
  if (!values.show && isAsExpected(result)) return;
  for (const line of result.history) console.log(`    ${line}`);
  if (result.violated !== null) console.log(`    ${result.violated} is violated`);
}

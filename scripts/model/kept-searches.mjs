// The figures of searches that were made, kept in the repository, and the page about them. What decides a search is
// hashed with its figures: a changed model has to be searched again before its page is true.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurations } from "./configurations.mjs";

const root = join(import.meta.dirname, "..", "..");
const models = join(root, "test", "model");
const file = join(models, "searched.json");
export const pagePath = "docs/lock-model.md";

export function readKept() {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

/**
 * Keeps one search that was as expected, and writes the page anew. `hash` is that of before the search: whoever edits the model
 * meanwhile has not searched what he has then. Those of configurations that are no more go.
 */
export function keep(result, { date, spin, hash }) {
  const { name, states, transitions, depth, seconds, memory, breaks, history } = result;
  const kept = {
    ...{ name, states, transitions, depth, seconds: Number(seconds.toFixed(1)), memory: Math.round(memory) },
    ...(breaks === null ? {} : { finds: breaks, steps: history.length }),
    ...{ date, spin, hash },
  };
  const rows = new Map([...readKept(), kept].map((row) => [row.name, row]));
  const inOrder = configurations.flatMap((configuration) => rows.get(configuration.name) ?? []);
  writeFileSync(file, `${JSON.stringify(inOrder, null, 2)}\n`);
  writeFileSync(join(root, pagePath), describeKept(inOrder));
}

/** Whether the figures of this configuration are those of the model as it is. */
export function isKept(configuration, rows = readKept()) {
  const row = rows.find(({ name }) => name === configuration.name);
  return row !== undefined && row.hash === hashOf(configuration);
}

/**
 * Configurations that have to be searched again: without figures, or with those of another model. A deep search may
 * be missing.
 */
export function namesToSearch(rows = readKept()) {
  const hasRow = ({ name }) => rows.some((row) => row.name === name);
  return configurations
    .filter((configuration) => !isKept(configuration, rows) && !(configuration.deep && !hasRow(configuration)))
    .map(({ name }) => name);
}

/** Of everything that decides what the search of a configuration finds; `about` does not. */
export function hashOf({ model, switches, progress, mayStop, doesEverything, breaks }) {
  const hash = createHash("sha256");
  hash.update(JSON.stringify({ model, switches, progress, mayStop, doesEverything, breaks }));
  for (const text of textsOf(`${model}.pml`)) hash.update(text);
  for (const name of ["spin.mjs", "spin-output.mjs"]) hash.update(readFileSync(join(import.meta.dirname, name)));
  return hash.digest("hex");
}

function textsOf(name) {
  const text = readFileSync(join(models, name), "utf8");
  const included = [...text.matchAll(/^#include "(.+)"$/gm)].flatMap(([, other]) => textsOf(other));
  return [text, ...included];
}

/** The page, from the figures and from what the configurations are about. */
export function describeKept(rows = readKept()) {
  const found = new Map(rows.map((row) => [row.name, row]));
  const all = configurations.map((configuration) => ({ ...configuration, row: found.get(configuration.name) }));
  const searched = all.filter(({ row }) => row !== undefined);
  const proved = searched.filter(({ breaks }) => breaks === null);
  const mistakes = searched.filter(({ breaks }) => breaks !== null);
  const missing = all.filter(({ row }) => row === undefined);
  const states = searched.reduce((sum, { row }) => sum + row.states, 0);
  return [
    "# The searched lock protocol",
    "",
    "<!-- Written by `npm run model -- --keep` from test/model/searched.json. No figure is written by hand. -->",
    "",
    "Spin searches every history that a model of the lock protocol can produce; [its text](../test/model/README.md) says what the",
    "model is, what is demanded of it, and what it leaves out. Continuous integration has time for a part of the",
    "searches, another one each time, and always for the known mistakes; this page has the figures of all that were made, each to its",
    `end: ${searched.length} of ${all.length} configurations, ${number(states)} states. A changed model makes \`npm test\` fail until`,
    "its searches are made again.",
    "",
    "## The protocol",
    "",
    "No search was cut short, and none found an error. What ends in `-progress` looks for a history in which no job runs any more,",
    "the others for a state that breaks a rule and for one in which all wait. Depth is the longest path of steps that the search took.",
    "",
    ...table(
      [
        "Configuration",
        "What it is",
        "Faults in one history",
        "States",
        "Transitions",
        "Depth",
        "Seconds",
        "MB",
        "Date",
      ],
      proved.map(({ name, about, switches, row }) => [
        `\`${name}\``,
        about,
        faultsIn(switches),
        ...[row.states, row.transitions, row.depth].map(number),
        String(row.seconds),
        number(row.memory),
        row.date,
      ]),
    ),
    "",
    "## Known mistakes",
    "",
    "The same model with one mistake built in. Each search finds a history in which the property is broken; the states are those",
    "that were searched until then.",
    "",
    ...table(
      ["Mistake", "What it is", "Costs", "Lines of the history", "States", "Depth", "Date"],
      mistakes.map(({ name, about, row }) => [
        `\`${name}\``,
        about,
        row.finds.replace("_", " or "),
        String(row.steps),
        ...[row.states, row.depth].map(number),
        row.date,
      ]),
    ),
    "",
    ...(missing.length === 0
      ? []
      : [
          "## Not searched",
          "",
          `There are no figures of: ${missing.map(({ name }) => `\`${name}\``).join(", ")}.`,
          "",
        ]),
    `Searched with ${[...new Set(searched.map(({ row }) => row.spin))].join(", ")}.`,
    "",
  ].join("\n");
}

function faultsIn(switches) {
  const words = { CRASHES: "crashes", UNKNOWNS: "lost answers", PAUSES: "pauses", REBOOTS: "reboots" };
  const faults = switches.flatMap((word) => {
    const [name, count] = word.split("=");
    return words[name] === undefined || count === "0" ? [] : [`${words[name]}: ${count}`];
  });
  return faults.join(", ");
}

function number(value) {
  return Math.round(value).toLocaleString("en");
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

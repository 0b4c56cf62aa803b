/**
 * The figures of a checker's report. `complete` is false whenever any part of the search was cut short: then
 * "no errors" proves nothing.
 */
export function readResult(output) {
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? Number.NaN);
  const cutShort = [
    /Search not completed/,
    /max search depth too small/,
    /out of memory|memory bound|reached -DMEMLIM/,
    /hash (table|array) full|vector too large/i,
    /error: /,
  ].filter((pattern) => pattern.test(output));
  return {
    errors,
    complete: Number.isInteger(errors) && cutShort.length === 0,
    why: cutShort.map((pattern) => pattern.exec(output)[0]).join(", "),
    states: figure(output, /([\d.e+]+) states, stored/),
    transitions: figure(output, /([\d.e+]+) transitions/),
    depth: figure(output, /depth reached (\d+)/),
    memory: figure(output, /([\d.]+)\s+total actual memory usage/),
    undone: undoneSteps(output),
  };
}

/** Nothing found by a search that left nothing out, or the property found that the switch is known to cost. */
export function isAsExpected({ breaks, violated, errors, complete, doesEverything, undone }) {
  if (breaks !== null) return violated === breaks;
  return errors === 0 && complete && !(doesEverything && undone.length > 0);
}

function figure(output, pattern) {
  return Number(pattern.exec(output)?.[1] ?? 0);
}

/** The steps that the search never took, in the words of the histories. */
function undoneSteps(output) {
  return [...output.matchAll(/^\t\S+:\d+, state \d+, "printf\('(.*?)(?:\\n)?'/gm)]
    .map(([, words]) => words)
    .filter((words) => !words.startsWith("violated: "));
}

/** What was violated, and the history that leads there in the words of the model. */
export function readHistory(replay, output) {
  const history = [];
  for (const line of replay.split("\n")) {
    if (/START OF CYCLE/.test(line)) history.push("and from here for ever:");
    else if (/^(\w|\w[\w ]+): /.test(line) && !/^(spin|ltl \w+): /.test(line)) history.push(line);
  }
  // The step that fails prints its own line before or after the property.
  const end = history.findIndex((line) => line.startsWith("violated: "));
  if (end !== -1) {
    const [line] = history.splice(end, 1);
    return { violated: line.slice("violated: ".length), history: fold(history) };
  }
  if (/acceptance cycle/.test(output)) return { violated: "L1", history: fold(history) };
  if (/invalid end state/.test(output)) return { violated: "L4", history: fold(history) };
  return { violated: "an error of the model itself", history: fold(history) };
}

/** Writes equal lines in a row once. */
function fold(lines) {
  const folded = [];
  for (const text of lines) {
    const last = folded.at(-1);
    if (last?.text === text) last.times += 1;
    else folded.push({ text, times: 1 });
  }
  return folded.map(({ text, times }) => (times === 1 ? text : `${text} (${times} times)`));
}

/** Nothing found by a search that left nothing out, or the property found that the switch is known to cost. */
export function isAsExpected({ breaks, violated, errors, complete, doesEverything, undone }) {
  if (breaks !== null) return violated === breaks;
  return errors === 0 && complete && !(doesEverything && undone.length > 0);
}

const columns = [24, 12, 12, 8, 8, 9];

export function tableHead() {
  return row(["configuration", "states", "transitions", "depth", "seconds", "memory", "result"]);
}

export function describeResult(result) {
  const { name, states, transitions, depth, seconds, memory } = result;
  const figures = [states, transitions, depth].map((figure) => Math.round(figure).toLocaleString("en"));
  return row([name, ...figures, seconds.toFixed(1), `${Math.round(memory)} MB`, verdict(result)]);
}

function verdict(result) {
  const { breaks, violated, errors, complete, why, undone, doesEverything } = result;
  if (breaks !== null && violated === breaks) return `finds ${breaks}: ${result.about}`;
  if (breaks !== null) return `FAILED: should violate ${breaks}, ${violated === null ? "finds nothing" : violated}`;
  if (errors > 0) return `FAILED: violates ${violated}`;
  if (!complete) return `FAILED: the search was cut short (${why}), so it proves nothing`;
  if (doesEverything && undone.length > 0) return `FAILED: never does ${undone.join("; ")}`;
  return "0 errors, exhaustive";
}

export function describeTotal(results) {
  const states = results.reduce((sum, result) => sum + result.states, 0);
  const failed = results.filter((result) => !isAsExpected(result));
  const proved = results.filter(({ breaks }) => breaks === null).length;
  const counts = `${proved} configurations of the protocol, ${results.length - proved} of its known mistakes`;
  const verdict = failed.length === 0 ? "all as expected" : `${failed.length} NOT as expected`;
  return `model: ${counts}, ${Math.round(states).toLocaleString("en")} states: ${verdict}`;
}

function row(cells) {
  return cells
    .map((cell, at) => {
      const width = columns[at];
      if (width === undefined) return cell;
      return at === 0 ? cell.padEnd(width) : cell.padStart(width);
    })
    .join("  ");
}

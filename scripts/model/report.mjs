import { isAsExpected } from "./spin-output.mjs";

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

/** `wanted`: so many were to be searched, of which a bounded run begins a part. */
export function describeTotal(results, wanted) {
  const states = results.reduce((sum, result) => sum + result.states, 0);
  const failed = results.filter((result) => !isAsExpected(result));
  const proved = results.filter(({ breaks }) => breaks === null).length;
  const counts = `${proved} configurations of the protocol, ${results.length - proved} of its known mistakes`;
  const verdict = failed.length === 0 ? "all as expected" : `${failed.length} NOT as expected`;
  const searched = `${results.length} of ${wanted} searched in this run`;
  return `model: ${searched}: ${counts}, ${Math.round(states).toLocaleString("en")} states: ${verdict}`;
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

/** A metric that an expression asks for, and the labels that it names there. */
export interface NamedMetric {
  readonly name: string;
  readonly labels: readonly string[];
}

export interface PromqlNames {
  readonly metrics: readonly NamedMetric[];
  /** Labels of `by (…)`, `on (…)` and the like, which belong to no metric by name. */
  readonly groupLabels: readonly string[];
}

const groupings = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const words = new Set(["and", "or", "unless", "bool", "offset", "inf", "nan"]);
const tokens = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d+(?:\.\d+)?[a-z]*|[A-Za-z_:][\w:]*|\S/g;

/** The metrics and labels of a PromQL expression. It does not check the expression: Prometheus does. */
export function namesIn(expression: string): PromqlNames {
  const found: readonly string[] = expression.match(tokens) ?? [];
  const metrics: NamedMetric[] = [];
  const groupLabels: string[] = [];
  for (let at = 0; at < found.length; at += 1) {
    const token = found[at] ?? "";
    if (!/^[A-Za-z_:]/.test(token) || words.has(token.toLowerCase())) continue;
    if (groupings.has(token)) {
      if (found[at + 1] !== "(") continue;
      const end = found.indexOf(")", at);
      groupLabels.push(...found.slice(at + 2, end).filter((label) => label !== ","));
      at = end;
      continue;
    }
    // A function, or an aggregation, whose grouping may come before its operand.
    if (found[at + 1] === "(" || groupings.has(found[at + 1] ?? "")) continue;
    const end = found[at + 1] === "{" ? found.indexOf("}", at) : at;
    const matchers = found.slice(at + 2, end);
    metrics.push({
      name: token,
      labels: matchers.filter((_, index) => matchers[index + 1]?.startsWith("=") || matchers[index + 1] === "!"),
    });
    at = end;
  }
  return { metrics, groupLabels };
}

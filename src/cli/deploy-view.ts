import type { DeployView, HostOutcome, Look } from "../deploy/apply.ts";
import type { TextOutput } from "./command-context.ts";

/** What would be done on a host, one line for each thing. */
export function formatPlan(name: string, look: Look): string {
  if (look.kind === "failed") return `${name}\n  ! ${indent(look.why)}\n`;
  const { steps, obstacles, notes } = look.plan;
  const lines = [
    ...notes.map((note) => `    ${note}`),
    ...steps.map(({ sign, what }) => `  ${sign} ${indent(what)}`),
    ...obstacles.map(({ what }) => `  ! ${indent(what)}`),
  ];
  if (steps.length + obstacles.length === 0) lines.push("    nothing to change");
  return `${name}\n${lines.join("\n")}\n`;
}

export function deployView(stdout: TextOutput): DeployView {
  return {
    step: (host, { sign, what }) => void stdout.write(`${host}: ${sign} ${indent(what)}\n`),
    note: (host, note) => void stdout.write(`${host}: ${note}\n`),
    failed: (host, why) => void stdout.write(`${host}: ! ${indent(why)}\n`),
    doctor: (host, report) => void stdout.write(`${host}: doctor\n${report.replaceAll(/^/gm, "    ")}\n`),
  };
}

export function formatOutcomes(outcomes: ReadonlyMap<string, HostOutcome>): string {
  const words = (outcome: HostOutcome) => {
    if (outcome.kind === "unchanged") return "nothing to change";
    return outcome.kind === "failed" ? `FAILED: ${outcome.why.split("\n")[0]}` : `${outcome.steps} changed`;
  };
  return `\n${[...outcomes].map(([name, outcome]) => `${name}: ${words(outcome)}`).join("\n")}\n`;
}

export function keyQuestion(name: string, shown: string): string {
  return `The host ${name} shows these keys:\n${shown}\nCompare them with what its console says (ssh-keygen -l). Type yes to file them: `;
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

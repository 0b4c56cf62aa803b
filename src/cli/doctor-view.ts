import type { HostReport } from "../daemon/doctor/doctor.ts";
import type { Finding } from "../daemon/doctor/doctor-findings.ts";
import { printable } from "./output.ts";
import { wrapText } from "./wrap-text.ts";

export interface DoctorCounts {
  readonly hosts: number;
  readonly problems: number;
  readonly warnings: number;
}

export function countFindings(reports: readonly HostReport[]): DoctorCounts {
  const findings = reports.flatMap((report) => report.findings);
  const count = (state: Finding["state"]) => findings.filter((finding) => finding.state === state).length;
  return { hosts: reports.length, problems: count("problem"), warnings: count("warning") };
}

/**
 * One block per host; below each finding that is not well what to do about it, in one line, for it may be a command.
 * What is found is broken at `columns`.
 */
export function formatReports(reports: readonly HostReport[], columns = Infinity): string {
  const width = Math.max(0, ...reports.flatMap(({ findings }) => findings.map(({ check }) => check.length)));
  const blocks = reports.map((report) => {
    const lines = report.findings.flatMap(({ check, state, message, remedy }) => [
      ...wrapText(printable(message), {
        width: columns,
        first: `  ${state.padEnd(7)}  ${check.padEnd(width)}  `,
        rest: " ".repeat(width + 13),
      }),
      ...(remedy === undefined ? [] : [`  ${"".padEnd(7)}  ${"".padEnd(width)}  → ${remedy}`]),
    ]);
    return [titleOf(report), ...lines].join("\n");
  });
  return `${[...blocks, formatCounts(countFindings(reports))].join("\n\n")}\n`;
}

function titleOf({ host, user, port, jobs }: HostReport): string {
  const account = user === undefined ? "" : `${user}@`;
  const name = host === null ? "this host" : `${account}${host}${port === undefined ? "" : `:${port}`}`;
  return jobs.length === 0 ? name : `${name}  (${jobs.join(", ")})`;
}

function formatCounts({ hosts, problems, warnings }: DoctorCounts): string {
  const count = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  return `${count(hosts, "host")}: ${count(problems, "problem")}, ${count(warnings, "warning")}`;
}

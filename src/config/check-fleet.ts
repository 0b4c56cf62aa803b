import { findExclusionFlaws } from "./fleet-exclusion.ts";
import { type FleetFinding, type FleetMember, guessHost, listFleetJobs } from "./fleet.ts";
import { findInstanceFlaws } from "./fleet-instances.ts";
import { findNameFlaws } from "./fleet-names.ts";
import { findStarvation } from "./fleet-starvation.ts";

/**
 * What only shows when several jobs, of one or of many configurations, are looked at together. Nobody is
 * connected to: hosts are told by the names in the files.
 */
export function checkFleet(files: readonly FleetMember[]): FleetFinding[] {
  const members = files.map(guessHost);
  const jobs = listFleetJobs(members);
  const findings = [
    ...findInstanceFlaws(members),
    ...findNameFlaws(jobs, members),
    ...findExclusionFlaws(jobs),
    ...findStarvation(jobs),
  ];
  const told = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return [...told.values()];
}

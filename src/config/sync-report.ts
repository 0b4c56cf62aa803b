import { checkOpts, type OptsReport, readFilterRule, splitOpts } from "./rsync-opts.ts";
import type { RawJob } from "./schema-job.ts";
import type { RawSyncAction } from "./schema-sync.ts";

/** What the options of a sync mean, its block `rsync` among them. */
export function reportOnSync(
  { opts = [], rsync: block = {} }: Partial<RawSyncAction>,
  { allowsUnsafe }: { allowsUnsafe: boolean },
): OptsReport {
  const structured = [
    ...(block.archive === true ? ["--archive"] : []),
    ...(block.one_file_system === true ? ["--one-file-system"] : []),
    ...(block.exclude_from === undefined ? [] : [`--exclude-from=${block.exclude_from}`]),
    ...((block.delete ?? false) === false ? [] : ["--delete"]),
    ...(block.delete_excluded === true ? ["--delete-excluded"] : []),
  ];
  const report = checkOpts([...structured, ...splitOpts(opts).words], allowsUnsafe);
  report.filters.excludes.push(...[block.exclude ?? []].flat());
  for (const rule of [block.filter ?? []].flat()) readFilterRule(rule, report.filters);
  return report;
}

/** Whether a sync of the job may delete anything at its destination. What is wrong with its options is told elsewhere. */
export function deletesAtDest({ watch }: Pick<RawJob, "watch">, sync: Partial<RawSyncAction>): boolean {
  return (watch?.delete ?? "off") !== "off" || reportOnSync(sync, { allowsUnsafe: true }).deletes;
}

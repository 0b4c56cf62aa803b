import { openHistoryFile } from "../../src/store/database.ts";
import { loadLibsqlDriver } from "../../src/store/libsql-driver.ts";

/**
 * Fills a history with runs of one second each, the last a moment ago, which the jobs `job0`, `job1`… had by turns;
 * each copied something. The runs are `run-000001` and so on.
 */
export async function fillHistory(file: string, of: { readonly jobs: number; readonly runs: number }): Promise<void> {
  const { database } = openHistoryFile(await loadLibsqlDriver(), file, 1000);
  const numbers = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${of.runs})`;
  const began = Date.now() - (of.runs + 1) * 1000;
  database.transaction(() => {
    database.exec(`${numbers} INSERT INTO runs SELECT i, printf('run-%06d', i), '{"kind":"signal"}', '[]',
      ${began} + i * 1000, ${began} + i * 1000 + 500, 'ok', NULL, 'x:1:1' FROM n`);
    database.exec(`${numbers} INSERT INTO jobs SELECT i, i, 'job' || (i % ${of.jobs}), ${began} + i * 1000,
      ${began} + i * 1000 + 400, 'ok', NULL, NULL, NULL, NULL FROM n`);
    database.exec(`INSERT INTO actions (job, action_id, target_id, attempt, started_at, finished_at, outcome, argv,
        files_transferred, transferred_bytes)
      SELECT id, 'copy', '', 1, started_at, finished_at, 'ok', '[]', id % 50, id * 1000 FROM jobs`);
    database.exec(`INSERT INTO last_results (job_id, target_id, outcome, finished_at, last_success_at)
      SELECT job_id, '', 'ok', max(finished_at), max(finished_at) FROM jobs GROUP BY job_id`);
  });
  database.close();
}

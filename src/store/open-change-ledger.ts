import { OperatorError, describeError } from "../base/errors.ts";
import type { ChangeLedger, ChangeLedgerReader } from "../model/tracked-change.ts";
import { createChangeLedger } from "./change-ledger.ts";
import { openLedgerFile, openLedgerForReading } from "./change-ledger-file.ts";
import { createChangeLedgerReader } from "./change-ledger-reader.ts";
import { loadLibsqlDriver } from "./libsql-driver.ts";
import { SqlError } from "./sql-database.ts";

/** The ledger of change tracking, for the director. Throws an `OperatorError` when it cannot be opened. */
export async function openChangeLedger(
  file: string,
  options: { instance: string; now: number; onDamaged: (movedTo: string) => void },
): Promise<ChangeLedger> {
  try {
    return createChangeLedger(openLedgerFile(await loadLibsqlDriver(), file, options));
  } catch (error) {
    throw new OperatorError(`cannot open the ledger of changes ${file}: ${describeError(error)}`);
  }
}

/** The same for the command line; undefined when nothing was ever tracked. Throws an `OperatorError`. */
export async function readChangeLedger(file: string): Promise<ChangeLedgerReader | undefined> {
  try {
    const database = openLedgerForReading(await loadLibsqlDriver(), file);
    return database === undefined ? undefined : createChangeLedgerReader(database);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw new OperatorError(`cannot read the ledger of changes ${file}: ${describeError(error)}`);
  }
}

import { OperatorError } from "../base/errors.ts";
import type { Csync2Action } from "../config/resolved.ts";
import type { ActionKind } from "./action-kind.ts";

/** Brings the other hosts of a csync2 cluster up to date. */
export const csync2Action: ActionKind<Csync2Action> = {
  preview: () => Promise.reject(new OperatorError("csync2 is not available in this version")),
  run: () => Promise.reject(new OperatorError("csync2 is not available in this version")),
};

import type { InstanceStatus } from "../../model/status.ts";
import type { CommandContext } from "../command-context.ts";
import type { ControlClient } from "./control-client.ts";
import type { Asked } from "./control-request.ts";
import { nameInstance } from "./name-instance.ts";
import { answerOf, needDirector } from "./reach-director.ts";

/** A running director, for a command that has no use without one. */
export interface Control {
  readonly client: ControlClient;
  readonly status: InstanceStatus;
  /** The value of an answer. Throws an `OperatorError` for everything else. */
  readonly answer: <T>(asked: Asked<T>) => T;
}

/** Throws an `OperatorError` that says why there is no director to ask, and what to do. */
export async function openControl(config: string | undefined, context: CommandContext): Promise<Control> {
  const instance = await nameInstance(config, context);
  const { client, status } = await needDirector(instance, context.env);
  return { client, status, answer: (asked) => answerOf(asked, instance) };
}

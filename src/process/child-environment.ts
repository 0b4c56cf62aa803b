/** The variables of the daemon that its children may see. */
const inherited = ["HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "SSH_AUTH_SOCK"] as const;

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A complete environment for a child: nothing is added to it later. */
export type Environment = Readonly<Record<string, string>>;

/**
 * The environment every child starts from. Only what is listed gets through: RSYNC_RSH,
 * RSYNC_OLD_ARGS, RSYNC_PASSWORD, NODE_OPTIONS, NOTIFY_SOCKET and the like would change what a child
 * does or tell it a secret. The locale is fixed, because rsync's output is parsed.
 */
export function baseEnvironment(parent: Readonly<Record<string, string | undefined>>): Environment {
  const environment: Record<string, string> = { PATH: parent["PATH"] ?? defaultPath };
  for (const name of inherited) {
    const value = parent[name];
    if (value !== undefined) environment[name] = value;
  }
  environment["LC_ALL"] = "C.UTF-8";
  return environment;
}

/** An action of a run. */
interface ActionId {
  runId: string;
  jobId: string;
  actionId: string;
}

/** The variables by which all that an action started, at whatever remove, can be told from the rest. */
export function actionMarks({ runId, jobId, actionId }: ActionId): Environment {
  return { RSYNCDIRECTOR_RUN: runId, RSYNCDIRECTOR_JOB: jobId, RSYNCDIRECTOR_ACTION: actionId };
}

/** What an action's child is told about itself; leftovers of a crashed daemon are found by the run. */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  action: ActionId & { attempt: number; target?: string | undefined },
): Environment {
  return {
    ...baseEnvironment(parent),
    ...actionMarks(action),
    RSYNCDIRECTOR_ATTEMPT: String(action.attempt),
    ...(action.target !== undefined && { RSYNCDIRECTOR_TARGET: action.target }),
  };
}

import { editAuthorizedKeys } from "./authorized-keys.ts";
import { gateDirectory, type DesiredGrant, type DesiredHost } from "./desired.ts";
import type { HostFacts } from "./facts.ts";
import { gateLine } from "./gate-line.ts";
import type { PartialPlan, PlanContext } from "./plan-step.ts";
import { parsePublicKey } from "./public-key.ts";

/** The lines of authorized_keys that let other hosts' keys in, one file at a time. */
export function planGrants({ grants }: DesiredHost, facts: HostFacts, context: PlanContext): PartialPlan {
  const accounts = [...new Set(grants.map(({ account }) => account))];
  const plans = accounts.map((account): PartialPlan => {
    const mine = grants.filter((grant) => grant.account === account);
    const shell = facts.accounts.get(account)?.shell ?? "";
    if (/(?:nologin|false)$/.test(shell)) {
      const what = `account ${account} has the shell ${shell}, which starts nothing: choose another account`;
      return { obstacles: [{ phase: "connect", what }] };
    }
    return planAccount(account, mine, { before: facts.authorizedKeys.get(account) ?? "", context });
  });
  return {
    steps: plans.flatMap(({ steps = [] }) => steps),
    obstacles: plans.flatMap(({ obstacles = [] }) => obstacles),
    notes: plans.flatMap(({ notes = [] }) => notes),
  };
}

function planAccount(
  account: string,
  grants: readonly DesiredGrant[],
  { before, context }: { before: string; context: PlanContext },
): PartialPlan {
  let text = before;
  const lines: string[] = [];
  const notes: string[] = [];
  for (const { from, rights } of joinRights(grants)) {
    const publicKey = context.publicKey(from.host, from.key);
    if (publicKey === undefined) {
      notes.push(`the key ${from.key} of ${from.host} will be let in as ${account} as soon as it is there`);
      continue;
    }
    const key = parsePublicKey(publicKey);
    const line = gateLine(key, rights, `${gateDirectory}/gate.sh`);
    const edited = editAuthorizedKeys(text, key, line);
    if (edited.kind === "in-the-way") {
      const what = `authorized_keys of ${account}, line ${edited.line}, lets the key of ${from.host} in without a gate: remove it`;
      return { obstacles: [{ phase: "connect", what }] };
    }
    if (edited.kind === "unchanged") continue;
    text = edited.text;
    lines.push(line);
  }
  if (lines.length === 0) return { notes };
  const what = `authorized_keys of ${account}:\n      ${lines.join("\n      ")}`;
  const call = ["rd_do_ssh_file", account, "", "authorized_keys"] as const;
  return { steps: [{ phase: "connect", sign: "+", what, call, input: Buffer.from(text, "utf8") }], notes };
}

/** A key has one line in a file, whatever several peers ask for it. */
function joinRights(grants: readonly DesiredGrant[]): DesiredGrant[] {
  const joined = new Map<string, DesiredGrant>();
  for (const grant of grants) {
    const name = `${grant.from.host} ${grant.from.key}`;
    const other = joined.get(name);
    if (other === undefined) joined.set(name, grant);
    else {
      const [a, b] = [other.rights, grant.rights];
      const both = (key: "readOnly" | "write" | "locks") => [...new Set([...a[key], ...b[key]])];
      const rights = { readOnly: both("readOnly"), write: both("write"), locks: both("locks") };
      const flags = { deletes: a.deletes && b.deletes, plainLinks: a.plainLinks && b.plainLinks };
      joined.set(name, { ...grant, rights: { ...rights, ...flags } });
    }
  }
  return [...joined.values()];
}

import type { DesiredHost } from "./desired.ts";
import { factsScript, type HostFacts, readHostFacts } from "./facts.ts";
import { planHost } from "./plan.ts";
import { type HostPlan, type Phase, type PlanContext, phases, type Step } from "./plan-step.ts";
import { fingerprintOf, unconfirmedKeys } from "./plan-known-hosts.ts";
import { remoteCall, type RemoteHost } from "./remote-host.ts";

/** One host of an inventory, and the way to it. */
export interface DeployHost {
  readonly desired: DesiredHost;
  readonly remote: RemoteHost;
}

export type HostOutcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "changed"; readonly steps: number }
  | { readonly kind: "failed"; readonly why: string };

/** What is confirmed on the way counts for the hosts that come later. */
type ApplyContext = Omit<PlanContext, "publicKey"> & { readonly accepted: Set<string> };

/** Told what happens, as it happens. */
export interface DeployView {
  step(host: string, step: Step): void;
  note(host: string, note: string): void;
  failed(host: string, why: string): void;
  /** What `doctor` says on a host. */
  doctor(host: string, report: string): void;
}

const lookMs = 180_000;
const stepMs = 900_000;

export type Look =
  | { readonly kind: "seen"; readonly facts: HostFacts; readonly plan: HostPlan }
  | { readonly kind: "failed"; readonly why: string };

/** Public keys as hosts have shown them, by host and path. */
export type KnownKeys = Map<string, string>;

/** Looks at a host and plans. What it learns of public keys goes into `keys`. */
export async function lookAtHost(
  { desired, remote }: DeployHost,
  context: Omit<PlanContext, "publicKey">,
  keys: KnownKeys,
): Promise<Look> {
  const seen = await remote.run(factsScript(desired), lookMs);
  if (seen.kind === "failed") return { kind: "failed", why: seen.message };
  const facts = readHostFacts(seen.output, desired);
  for (const [path, key] of facts.publicKeys) keys.set(`${desired.name} ${path}`, key);
  return { kind: "seen", facts, plan: planHost(desired, facts, { ...context, publicKey: publicKeyIn(keys) }) };
}

function publicKeyIn(keys: KnownKeys): PlanContext["publicKey"] {
  return (host, path) => keys.get(`${host} ${path}`);
}

/**
 * Brings hosts to what they should be, phase by phase: what one host shows in a phase, others use in the next. Each
 * phase that does something ends with a look that has to find nothing left to do. A host that fails is left alone from
 * then on, and the others go on.
 */
export async function applyPlan(
  hosts: readonly DeployHost[],
  context: ApplyContext,
  { keys, view, confirm }: Pick<Applying, "keys" | "view" | "confirm">,
): Promise<ReadonlyMap<string, HostOutcome>> {
  const facts = new Map<string, HostFacts>();
  const outcomes = new Map<string, HostOutcome>(hosts.map(({ desired }) => [desired.name, { kind: "unchanged" }]));
  for (const phase of phases) {
    for (const host of hosts) {
      const { name } = host.desired;
      const before = outcomes.get(name);
      if (before === undefined || before.kind === "failed") continue;
      const result = await applyPhase(host, phase, { context, keys, view, confirm, facts });
      if (typeof result === "string") {
        view.failed(name, result);
        outcomes.set(name, { kind: "failed", why: result });
      } else if (result > 0) {
        outcomes.set(name, { kind: "changed", steps: result + (before.kind === "changed" ? before.steps : 0) });
      }
    }
  }
  for (const host of hosts) {
    if (outcomes.get(host.desired.name)?.kind === "failed") continue;
    const why = await examine(host, view);
    if (why === undefined) continue;
    view.failed(host.desired.name, why);
    outcomes.set(host.desired.name, { kind: "failed", why });
  }
  return outcomes;
}

interface Applying {
  readonly context: ApplyContext;
  readonly keys: KnownKeys;
  readonly view: DeployView;
  /** What the last look at each host has shown. */
  readonly facts: Map<string, HostFacts>;
  /** Asks a person about the keys that a host shows; undefined: nobody is there. */
  readonly confirm: ((name: string, shown: string) => Promise<string>) | undefined;
}

/** The fingerprints to which a person said yes, in full. */
async function confirmKeys(
  { desired }: DeployHost,
  {
    facts,
    context,
    confirm,
  }: Pick<Applying, "context"> & {
    facts: HostFacts;
    confirm: NonNullable<Applying["confirm"]>;
  },
): Promise<ReadonlySet<string>> {
  const confirmed = new Set<string>();
  for (const { name, keys } of unconfirmedKeys(desired, facts, context.accepted)) {
    const shown = keys.map((key) => `  ${fingerprintOf(key)} ${key.type}`).join("\n");
    if ((await confirm(name, shown)) !== "yes") continue;
    for (const key of keys) confirmed.add(fingerprintOf(key));
  }
  return confirmed;
}

/** How many steps were taken, or why the host failed. */
async function applyPhase(
  host: DeployHost,
  phase: Phase,
  { context, keys, view, confirm, facts }: Applying,
): Promise<number | string> {
  const { name } = host.desired;
  // Nobody else changes a host meanwhile: what the last look has shown is what there is.
  let seen = facts.get(name);
  if (seen === undefined) {
    const look = await lookAtHost(host, context, keys);
    if (look.kind === "failed") return look.why;
    seen = look.facts;
  }
  if (phase === "connect" && confirm !== undefined) {
    for (const confirmed of await confirmKeys(host, { facts: seen, context, confirm })) context.accepted.add(confirmed);
  }
  const plan = planHost(host.desired, seen, { ...context, publicKey: publicKeyIn(keys) });
  if (phase === "prepare") for (const note of plan.notes) view.note(name, note);
  const obstacles = plan.obstacles.filter((obstacle) => obstacle.phase === phase);
  if (obstacles.length > 0) return obstacles.map(({ what }) => what).join("\n");
  facts.set(name, seen);
  const steps = plan.steps.filter((step) => step.phase === phase);
  for (const step of steps) {
    view.step(name, step);
    const done = await host.remote.run(remoteCall(step.call, step.input), stepMs);
    if (done.kind === "failed") return `${step.what}: ${done.message}`;
  }
  if (steps.length === 0) return 0;
  const after = await lookAtHost(host, context, keys);
  if (after.kind === "failed") return after.why;
  facts.set(name, after.facts);
  const left = after.plan.steps.find((step) => step.phase === phase);
  return left === undefined ? steps.length : `${left.what}: was done, and is not there`;
}

/** What `doctor` finds from there, for each instance. */
async function examine({ desired, remote }: DeployHost, view: DeployView): Promise<string | undefined> {
  for (const { name, account, config, envFile } of desired.instances) {
    const call = remoteCall(["rd_do_doctor", account, config, envFile ?? ""]);
    // A problem that it finds is no failure of the shell.
    const result = await remote.run(`rd_doctor=0\n${call} || rd_doctor=$?\nprintf 'exit %s\\n' "$rd_doctor"`, lookMs);
    if (result.kind === "failed") return `doctor of ${name}: ${result.message}`;
    const report = result.output.trimEnd();
    view.doctor(desired.name, report.replace(/\n?exit \d+$/, ""));
    if (!/(?:^|\n)exit 0$/.test(report)) return `doctor of ${name} has found a problem`;
  }
  return undefined;
}

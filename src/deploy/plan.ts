import { createHash } from "node:crypto";
import { deployDirectory, type DesiredDirectory, type DesiredFile, type DesiredHost } from "./desired.ts";
import type { HostFacts, PathFact } from "./facts.ts";
import { homeOf } from "./loaded-instance.ts";
import type { HostPlan, PartialPlan, PlanContext, Step } from "./plan-step.ts";
import { planGrants } from "./plan-grants.ts";
import { planKnownHosts } from "./plan-known-hosts.ts";

/** What has to be done so that a host is as it should be; nothing, when it is. Asks and changes nothing. */
export function planHost(desired: DesiredHost, facts: HostFacts, context: PlanContext): HostPlan {
  const plans = [
    planSystem(desired, facts),
    { steps: [...planAccounts(desired, facts), ...planDirectories(desired, facts)] },
    planProgram(desired, facts, context),
    planFiles(desired, facts, context),
    { steps: planKeys(desired, facts) },
    planKnownHosts(desired, facts, context),
    planGrants(desired, facts, context),
    planInstances(desired, facts),
  ];
  return {
    steps: plans.flatMap(({ steps = [] }) => steps),
    obstacles: plans.flatMap(({ obstacles = [] }) => obstacles),
    notes: plans.flatMap(({ notes = [] }) => notes),
  };
}

/** Where flock has a package of its own, util-linux needs that. */
const toolPackages: Readonly<Record<"apt-get" | "dnf", Readonly<Record<string, string>>>> = {
  "apt-get": { rsync: "rsync", ssh: "openssh-client", flock: "util-linux", runuser: "util-linux" },
  dnf: { rsync: "rsync", ssh: "openssh-clients", flock: "util-linux", runuser: "util-linux" },
};

function planSystem(_: DesiredHost, { isRoot, tools, system }: HostFacts): PartialPlan {
  if (!isRoot)
    return { obstacles: [{ phase: "prepare", what: "the account there is not root: set become, or user: root" }] };
  const manager = tools.has("apt-get") ? "apt-get" : tools.has("dnf") ? "dnf" : undefined;
  const missing = Object.keys(toolPackages["apt-get"]).filter((tool) => !tools.has(tool));
  if (missing.length === 0) return {};
  if (manager === undefined) {
    const what = `${missing.join(", ")} missing, and neither apt-get nor dnf on ${system[0] ?? "this system"}`;
    return { obstacles: [{ phase: "prepare", what }] };
  }
  const packages = [...new Set(missing.flatMap((tool) => toolPackages[manager][tool] ?? []))];
  const what = `packages ${packages.join(", ")} (by ${manager})`;
  return { steps: [{ phase: "prepare", sign: "+", what, call: ["rd_do_tools", ...packages] }] };
}

function planAccounts({ accounts }: DesiredHost, facts: HostFacts): Step[] {
  return accounts.flatMap(({ name, groups }): Step[] => {
    const fact = facts.accounts.get(name);
    const lacking = groups.filter((group) => fact?.groups.includes(group) !== true);
    const home = homeOf(name);
    const add: Step = {
      phase: "prepare",
      sign: "+",
      what: `account ${name}, home ${home}`,
      call: ["rd_do_account", name, home],
    };
    const join: Step = {
      ...{ phase: "prepare", sign: "~", what: `account ${name} in ${lacking.join(", ")}` },
      call: ["rd_do_groups", name, ...lacking],
    };
    return [...(fact === undefined ? [add] : []), ...(lacking.length === 0 ? [] : [join])];
  });
}

function planDirectories({ directories }: DesiredHost, { paths }: HostFacts): Step[] {
  return directories.flatMap((directory): Step[] => {
    const { path, owner, group, mode } = directory;
    const fact = paths.get(path) ?? { kind: "absent" };
    const differences = describeDifferences(directory, fact, "directory");
    if (differences === undefined) return [];
    const what = `directory ${path}: ${differences}`;
    return [{ phase: "prepare", sign: signOf(fact), what, call: ["rd_do_directory", path, owner, group, mode] }];
  });
}

function planProgram({ program }: DesiredHost, facts: HostFacts, { packageBytes }: PlanContext): PartialPlan {
  if (program === undefined || facts.program === program.sha256) return {};
  const obstacle = whyNotInstallable(program.kind, facts);
  if (obstacle !== undefined) return { obstacles: [{ phase: "prepare", what: obstacle }] };
  const step: Step = {
    ...{ phase: "prepare", sign: facts.program === undefined ? "+" : "~" },
    what: `program of ${program.file} (${program.sha256.slice(0, 12)})`,
    call: ["rd_do_program", program.kind, deployDirectory, program.sha256],
    input: packageBytes(program.file),
  };
  return { steps: [step] };
}

function whyNotInstallable(kind: "deb" | "npm", { tools, nodeVersion }: HostFacts): string | undefined {
  if (kind === "deb")
    return tools.has("apt-get") ? undefined : "a .deb needs apt-get, which is not here: give what npm pack makes";
  const [major = 0, minor = 0] = (nodeVersion ?? "").replace(/^v/, "").split(".").map(Number);
  const isNew = major > 20 || (major === 20 && minor >= 19);
  if (isNew && tools.has("npm")) return undefined;
  return `node 20.19 or newer with npm is needed (there: ${nodeVersion ?? "none"}); the .deb brings its own`;
}

function planFiles({ files }: DesiredHost, facts: HostFacts, { stamp }: PlanContext): PartialPlan {
  const unitFiles = files.filter(({ unit }) => unit === true);
  const wanted = facts.systemd ? files : files.filter(({ unit }) => unit !== true);
  const skipped = facts.systemd || unitFiles.length === 0;
  return {
    steps: wanted.flatMap((file): Step[] => {
      const fact = facts.paths.get(file.path) ?? { kind: "absent" };
      const differences = describeDifferences(file, fact, "file");
      if (differences === undefined) return [];
      const mark = file.instance === undefined ? "" : `${deployDirectory}/restart-${file.instance}`;
      const { path, owner, group, mode, content, keepsOld, check = "" } = file;
      return [
        {
          ...{ phase: "prepare", sign: signOf(fact), what: `file ${path}: ${differences}`, input: content },
          call: ["rd_do_file", path, owner, group, mode, keepsOld === true ? stamp : "", mark, check],
        },
      ];
    }),
    notes: skipped ? [] : ["systemd does not run here: units are neither written nor enabled nor started"],
  };
}

function planKeys({ keys, name }: DesiredHost, { paths, publicKeys }: HostFacts): Step[] {
  return keys.flatMap(({ path, account }): Step[] => {
    if (paths.get(path)?.kind === "file" && publicKeys.has(path)) return [];
    const what = `key pair ${path} (ed25519) of ${account}`;
    return [
      { phase: "prepare", sign: "+", what, call: ["rd_do_key", path, account, `${account}@${name} (rsyncdirector)`] },
    ];
  });
}

function planInstances({ instances }: DesiredHost, { systemd, toRestart, enabled, active }: HostFacts): PartialPlan {
  const steps = instances.flatMap(({ name }): Step[] => {
    const [start, forget] = [
      ["rd_do_start", name, deployDirectory],
      ["rd_forget_restart", name, deployDirectory],
    ] as const;
    if (!systemd) {
      const what = `instance ${name}: changed; start it in the way of this host`;
      return toRestart.has(name) ? [{ phase: "start", sign: "~", what, call: forget }] : [];
    }
    if (enabled.has(name) && active.has(name) && !toRestart.has(name)) return [];
    const isNew = !enabled.has(name) || !active.has(name);
    const what = isNew ? `enable and start rsyncdirector@${name}` : `start rsyncdirector@${name} anew`;
    return [{ phase: "start", sign: isNew ? "+" : "~", what, call: start }];
  });
  return { steps };
}

/** What has to become different, in words that tell nothing of a file's content; undefined: nothing. */
function describeDifferences(
  wanted: DesiredDirectory | DesiredFile,
  fact: PathFact,
  kind: "directory" | "file",
): string | undefined {
  const target = `${wanted.owner}:${wanted.group} ${wanted.mode}`;
  if (fact.kind === "absent") return target;
  if (fact.kind !== "directory" && fact.kind !== "file") return `${target}, where a ${fact.kind} is`;
  if (fact.kind !== kind) return `${target}, where a ${fact.kind} is`;
  const differences = (["owner", "group", "mode"] as const).flatMap((key) =>
    fact[key] === wanted[key] ? [] : [`${key} ${fact[key]} → ${wanted[key]}`],
  );
  if (fact.kind === "file" && "content" in wanted) {
    const sha256 = createHash("sha256").update(wanted.content).digest("hex");
    if (fact.sha256 !== sha256) differences.unshift(`content ${fact.sha256.slice(0, 12)} → ${sha256.slice(0, 12)}`);
  }
  return differences.length === 0 ? undefined : differences.join(", ");
}

function signOf(fact: PathFact): "+" | "~" {
  return fact.kind === "absent" ? "+" : "~";
}

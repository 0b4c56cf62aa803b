import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { kill } from "./commands.ts";
import type { Contender } from "./contender.ts";
import type { Lab } from "./lab.ts";
import { type HostProcess, processesOn } from "./network.ts";
import type { Chance } from "./random-choice.ts";
import { clockHost, rebootable } from "./topology.ts";

export interface FaultDeps {
  readonly lab: Lab;
  readonly contenders: readonly Contender[];
  readonly chance: Chance;
}

/** Something that goes wrong for a while. */
export interface Fault {
  readonly name: string;
  /** Of all draws so many are this one. */
  readonly weight: number;
  /** Does it; returns whom it hit, and what ends it after so many milliseconds. */
  begin(deps: FaultDeps): Promise<{ target: string; forMs: number; heal: () => Promise<void> } | undefined>;
}

/** Stopping rsync takes 30 s at most, giving back its locks the same again, and the rest is patience. */
const longestStopMs = 120_000;

const nothing = () => Promise.resolve();

const crash: Fault = {
  name: "crash of a director",
  weight: 6,
  begin: async ({ contenders, chance }) => {
    const victim = chance.one(contenders);
    if (victim.pid() === undefined) return undefined;
    await victim.crash();
    return {
      target: victim.name,
      forMs: chance.happens(0.3) ? 0 : chance.mostlyBriefly(0, 20_000),
      heal: async () => void (await victim.start()),
    };
  },
};

/** A director that has a lock dies, and stays dead until others have broken it. */
export const longDeath: Fault = {
  name: "crash of a director",
  weight: 0,
  begin: async ({ lab, contenders, chance }) => {
    const writing = contenders.filter(({ name }) =>
      lab.witness.living().some((writer) => writer.startsWith(`${name}.`)),
    );
    const victim = chance.one(writing.length > 0 ? writing : contenders);
    await victim.crash();
    return { target: victim.name, forMs: 180_000, heal: async () => void (await victim.start()) };
  },
};

/** rsync's leaders and other halves, ssh, sessions of sshd, shells with lock operations and their helpers (the kernel cuts names). */
const killed: Fault = {
  name: "kill of a child or server",
  weight: 5,
  begin: async ({ lab, contenders, chance }) => {
    const host = lab.host(chance.one(lab.network.hosts).name);
    const victim = chooseProcess(
      host,
      contenders,
      chance,
      /^(rsync|ssh|sshd|sshd-session|sh|bash|flock|rsyncdirector-l)$/,
    );
    if (victim === undefined) return undefined;
    kill(victim.pid, "SIGKILL");
    return { target: `${victim.name} ${victim.pid} on ${host.name}`, forMs: 0, heal: nothing };
  },
};

const stopped: Fault = {
  name: "stopped child or server",
  weight: 4,
  begin: async ({ lab, contenders, chance }) => {
    const host = lab.host(chance.one(lab.network.hosts).name);
    const victim = chooseProcess(host, contenders, chance, /^(rsync|ssh|sshd|sshd-session|sh|rsyncdirector-l)$/);
    if (victim === undefined) return undefined;
    kill(victim.pid, "SIGSTOP");
    const heal = () => Promise.resolve(kill(victim.pid, "SIGCONT"));
    return { target: `${victim.name} ${victim.pid} on ${host.name}`, forMs: chance.mostlyBriefly(500, 20_000), heal };
  },
};

const paused: Fault = {
  name: "stopped director",
  weight: 4,
  begin: async ({ contenders, chance }) => {
    const victim = chance.one(contenders);
    const pid = victim.pid();
    if (pid === undefined) return undefined;
    kill(pid, "SIGSTOP");
    const heal = () => Promise.resolve(kill(pid, "SIGCONT"));
    return { target: victim.name, forMs: chance.mostlyBriefly(500, 45_000), heal };
  },
};

const listener: Fault = {
  name: "stopped sshd",
  weight: 2,
  begin: async ({ lab, chance }) => {
    const { sshd, name } = lab.host(chance.one(lab.network.hosts).name);
    kill(sshd.pid, "SIGSTOP");
    return {
      target: name,
      forMs: chance.mostlyBriefly(1000, 20_000),
      heal: () => Promise.resolve(kill(sshd.pid, "SIGCONT")),
    };
  },
};

const partition: Fault = {
  name: "partition",
  weight: 5,
  begin: async ({ lab, chance }) => {
    const [from, to] = twoHosts(lab, chance);
    const how = chance.happens(0.5) ? "both" : "from";
    const heal = await lab.network.cut(from, to, how);
    const direction = how === "both" ? "and" : "to";
    return { target: `${from.name} ${direction} ${to.name}`, forMs: chance.mostlyBriefly(1000, 50_000), heal };
  },
};

/** Also with others at the same time: what arrives, arrives late. */
const lossyLine: Fault = {
  name: "lossy line",
  weight: 3,
  begin: async ({ lab, chance }) => {
    const [one, other] = twoHosts(lab, chance);
    const share = chance.between(0.05, 0.4);
    const heal = await lab.network.lose(one, other, share);
    const target = `${Math.round(100 * share)} % between ${one.name} and ${other.name}`;
    return { target, forMs: chance.mostlyBriefly(2000, 50_000), heal };
  },
};

/** Whatever the host of a lock believes the time to be, nobody may judge a lock by it. */
const clockJump: Fault = {
  name: "clock jump",
  weight: 2,
  begin: async ({ lab, chance }) => {
    const { name, setClock } = lab.host(clockHost);
    if (setClock === undefined) return undefined;
    const seconds = chance.one([60, -60, 3600, -3600, 315_576_000, -315_576_000]);
    await setClock(seconds);
    return { target: `${name} by ${seconds} s`, forMs: chance.mostlyBriefly(2000, 60_000), heal: () => setClock(0) };
  },
};

const fullDisk: Fault = {
  name: "full disk",
  weight: 2,
  begin: ({ lab, chance }) => {
    const host = lab.host(chance.one(["h3", "h4"]));
    const file = host.path("locks", "filler");
    try {
      writeFileSync(file, Buffer.alloc(1_000_000));
    } catch {
      // That it does not fit is what it is for.
    }
    const heal = () => Promise.resolve(rmSync(file, { force: true }));
    return Promise.resolve({ target: host.name, forMs: chance.mostlyBriefly(1000, 20_000), heal });
  },
};

/** As if a lock script had been stopped in the middle of its work. */
const guard: Fault = {
  name: "guard kept locked",
  weight: 2,
  begin: async ({ lab, chance }) => {
    const [host, name] = chance.one([
      ["h3", "mutex"],
      ["h4", "pair1"],
      ["h3", "trio2"],
      ["h4", "fork1"],
      ["h4", "apart"],
    ] as const);
    const file = lab.host(host).path("locks", `${name}.guard`);
    const holder = spawn("setpriv", ["--pdeathsig", "KILL", "flock", file, "cat"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const heal = async () => {
      const ended = once(holder, "exit");
      holder.kill("SIGKILL");
      await ended;
    };
    return { target: `${name} on ${host}`, forMs: chance.mostlyBriefly(1000, 15_000), heal };
  },
};

const hangups: Fault = {
  name: "storm of HUP",
  weight: 2,
  begin: async ({ contenders, chance }) => {
    const victim = chance.one(contenders);
    for (let count = 0; count < 40; count += 1) {
      victim.signal("SIGHUP");
      if (chance.happens(0.2)) await wait(1);
    }
    return { target: victim.name, forMs: 0, heal: nothing };
  },
};

const terminations: Fault = {
  name: "storm of TERM",
  weight: 3,
  begin: async ({ lab, contenders, chance }) => {
    const victim = chance.one(contenders);
    if (victim.pid() === undefined) return undefined;
    const ended = victim.stop();
    for (let count = 0; count < chance.between(0, 6); count += 1) {
      await wait(chance.between(0, 300));
      victim.signal(chance.one(["SIGTERM", "SIGINT", "SIGHUP"]));
    }
    const heal = async () => {
      const late = wait(longestStopMs, "late" as const, { ref: false });
      if ((await Promise.race([ended, late])) === "late") {
        lab.note({ kind: "left", paths: [`${victim.name}: its director does not end`] });
        await victim.crash();
      }
      await victim.start();
    };
    return { target: victim.name, forMs: chance.between(0, 5000), heal };
  },
};

const reboot: Fault = {
  name: "reboot",
  weight: 1,
  begin: async ({ lab, contenders }) => {
    const there = contenders.filter((contender) => contender.host === rebootable && contender.pid() !== undefined);
    await Promise.all(there.map((contender) => contender.crash()));
    await lab.reboot(rebootable);
    const heal = async () => void (await Promise.all(there.map((contender) => contender.start())));
    return { target: rebootable, forMs: 0, heal };
  },
};

export const allFaults: readonly Fault[] = [
  crash,
  killed,
  stopped,
  paused,
  listener,
  partition,
  lossyLine,
  clockJump,
  fullDisk,
  guard,
  hangups,
  terminations,
  reboot,
];

function twoHosts(lab: Lab, chance: Chance) {
  const from = chance.one(lab.network.hosts);
  const to = chance.one(lab.network.hosts.filter((host) => host !== from));
  return [from, to] as const;
}

function chooseProcess(
  host: { namespace: string; sshd: { pid: number } },
  contenders: readonly Contender[],
  chance: Chance,
  names: RegExp,
): HostProcess | undefined {
  const spared = new Set<number | undefined>([host.sshd.pid, ...contenders.map((contender) => contender.pid())]);
  const found = processesOn(host).filter(({ pid, name }) => names.test(name) && !spared.has(pid));
  return found.length === 0 ? undefined : chance.one(found);
}

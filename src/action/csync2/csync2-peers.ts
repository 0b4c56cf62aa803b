import { OperatorError } from "../../base/errors.ts";
import type { Csync2Group, Csync2Prefix, Csync2Settings } from "./csync2-settings.ts";

export interface Csync2Cluster {
  /** How csync2 calls the hosts that get what changes here. */
  readonly peers: readonly string[];
  /** Directories below which csync2 looks on this host; those of a pattern end before its first wildcard. */
  readonly roots: readonly string[];
}

/**
 * What the configuration `file` says of this host. `wanted`: only these peers, by the name of the host or of
 * its interface. Throws an OperatorError when this host has nobody to send to, or for a peer that is not there:
 * csync2 would say nothing and end well.
 */
export function clusterOf(
  settings: Csync2Settings,
  about: { ownName: string; wanted: readonly string[]; file: string },
): Csync2Cluster {
  const { file, wanted } = about;
  const own = about.ownName.toLowerCase();
  const member = settings.groups.filter(({ hosts }) => hosts.some(({ host }) => host === own));
  if (member.length === 0) {
    throw new OperatorError(
      `this host is not in a group of ${file} under the name ${about.ownName}: write it there, or set hostname to the name it has there`,
    );
  }
  const sending = member.filter(({ hosts }) => hosts.some(({ host, slave }) => host === own && !slave));
  if (sending.length === 0) {
    throw new OperatorError(
      `${file} has ${about.ownName} in brackets: such a host only gets updates and cannot send any`,
    );
  }
  const others = sending.flatMap(({ hosts }) => hosts.filter(({ host }) => host !== own));
  const named = wanted.map((name) => {
    const found = others.find(({ host, peer }) => [host, peer].includes(name.toLowerCase()));
    if (found !== undefined) return found.peer;
    const known = [...new Set(others.map(({ peer }) => peer))].join(", ");
    throw new OperatorError(
      `${file} has no peer ${name} in a group that ${about.ownName} sends to; it has ${known || "none"}`,
    );
  });
  const peers = [...new Set(wanted.length > 0 ? named : others.map(({ peer }) => peer))];
  if (peers.length === 0) throw new OperatorError(`${file} has no other host in the groups of ${about.ownName}`);
  return { peers, roots: rootsOf(sending, settings.prefixes, own) };
}

function rootsOf(groups: readonly Csync2Group[], prefixes: readonly Csync2Prefix[], own: string): string[] {
  const roots = groups.flatMap(({ patterns }) =>
    patterns.flatMap(({ kind, pattern }) => {
      if (kind === "exclude") return [];
      const path = withPrefix(pattern, prefixes, own);
      if (path?.startsWith("/") !== true) return [];
      const wild = path.search(/[*?[]/);
      return [wild < 0 ? path : path.slice(0, Math.max(1, path.lastIndexOf("/", wild)))];
    }),
  );
  return [...new Set(roots)];
}

/** undefined: this host has no directory for the prefix, and csync2 no file there. */
function withPrefix(pattern: string, prefixes: readonly Csync2Prefix[], own: string): string | undefined {
  const [whole, name] = /^%([^%]*)%/.exec(pattern) ?? [];
  if (whole === undefined) return pattern;
  const entry = prefixes
    .find((prefix) => prefix.name === name)
    ?.entries.find(({ hosts }) => hostPattern(hosts).test(own));
  return entry === undefined ? undefined : entry.path + pattern.slice(whole.length);
}

/** A shell pattern for host names. */
function hostPattern(pattern: string): RegExp {
  const source = pattern.replace(/\[!/g, "[^").replace(/[.+^${}()|\\*?]/g, (sign, at: number) => {
    if (sign === "*") return ".*";
    if (sign === "?") return ".";
    return sign === "^" && pattern.charAt(at - 1) === "[" ? sign : `\\${sign}`;
  });
  try {
    return new RegExp(`^${source}$`, "i");
  } catch {
    // A bracket that nothing closes: nobody's name.
    return /(?!)/;
  }
}

import { quoteForShell } from "../ssh/shell-protocol.ts";
import { deployDirectory, knownHostName, type DesiredHost } from "./desired.ts";

/** What lies at a path. */
export type PathFact =
  | { readonly kind: "absent" | "link" | "other" }
  | { readonly kind: "directory"; readonly owner: string; readonly group: string; readonly mode: string }
  | {
      readonly kind: "file";
      readonly owner: string;
      readonly group: string;
      readonly mode: string;
      readonly sha256: string;
    };

/** A key that a host has shown to the one that asked; nothing says yet that it is the right one. */
export interface ScannedKey {
  readonly type: string;
  readonly blob: string;
}

/** What a host is like now. */
export interface HostFacts {
  readonly isRoot: boolean;
  /** ID and ID_LIKE of os-release. */
  readonly system: readonly string[];
  readonly tools: ReadonlySet<string>;
  readonly nodeVersion: string | undefined;
  readonly systemd: boolean;
  /** SHA-256 of the package that this program has installed there. */
  readonly program: string | undefined;
  readonly accounts: ReadonlyMap<string, { readonly shell: string; readonly groups: readonly string[] }>;
  readonly paths: ReadonlyMap<string, PathFact>;
  /** Lines of `.pub` files, by the path of the key. */
  readonly publicKeys: ReadonlyMap<string, string>;
  /** authorized_keys, by account. */
  readonly authorizedKeys: ReadonlyMap<string, string>;
  /** By the number in `knownHosts`. */
  readonly knownHosts: ReadonlySet<number>;
  readonly knownHostsFiles: ReadonlyMap<number, string>;
  readonly scans: ReadonlyMap<number, readonly ScannedKey[]>;
  readonly toRestart: ReadonlySet<string>;
  readonly enabled: ReadonlySet<string>;
  readonly active: ReadonlySet<string>;
}

/** Every path that a host is asked about. */
function pathsOf({ directories, files, keys }: DesiredHost): string[] {
  return [...directories, ...files, ...keys].map(({ path }) => path);
}

function grantedAccounts({ grants }: DesiredHost): string[] {
  return [...new Set(grants.map(({ account }) => account))];
}

/** Calls of the functions of resources/deploy.sh whose answers `readHostFacts` reads. */
export function factsScript(desired: DesiredHost): string {
  const call = (...words: readonly (string | number)[]) =>
    words.map((word, index) => (index === 0 ? String(word) : quoteForShell(String(word)))).join(" ");
  return [
    call("rd_see_host"),
    call("rd_see_program", deployDirectory),
    ...desired.accounts.map(({ name }) => call("rd_see_account", name)),
    ...pathsOf(desired).map((path, index) => call("rd_see_path", index, path)),
    ...desired.keys.map(({ path }, index) => call("rd_see_text", "public", index, `${path}.pub`)),
    ...grantedAccounts(desired).map((account, index) => call("rd_see_keys", index, account)),
    ...desired.knownHosts.flatMap((known, index) => [
      call("rd_see_host_key", index, known.account, known.file ?? "", knownHostName(known), known.host, known.port),
      ...(known.file === undefined
        ? [`rd_see_text hosts ${index} "$(rd_home ${quoteForShell(known.account)})/.ssh/known_hosts"`]
        : [call("rd_see_text", "hosts", index, known.file)]),
    ]),
    ...desired.instances.map(({ name }) => call("rd_see_instance", name, deployDirectory)),
    "",
  ].join("\n");
}

/** Reads the answers to `factsScript`; lines that make no sense are passed over. */
export function readHostFacts(output: string, desired: DesiredHost): HostFacts {
  const lines = output.split("\n").map((line) => line.trimEnd().split(" "));
  const of = (name: string) => lines.filter(([first]) => first === name).map(([, ...rest]) => rest);
  const one = (name: string) => of(name)[0]?.[0];
  const text = (encoded: string | undefined) => Buffer.from(encoded ?? "", "base64").toString("utf8");
  const paths = pathsOf(desired);
  const granted = grantedAccounts(desired);
  const named = <Value>(name: string, key: (index: number) => string | undefined, read: (words: string[]) => Value) =>
    new Map(
      of(name).flatMap(([index, ...rest]) => {
        const found = key(Number(index));
        return found === undefined ? [] : [[found, read(rest)] as const];
      }),
    );
  const scans = new Map<number, ScannedKey[]>();
  for (const [index, type = "", blob = ""] of of("scan")) {
    scans.set(Number(index), [...(scans.get(Number(index)) ?? []), { type, blob }]);
  }
  return {
    isRoot: one("uid") === "0",
    system: of("os")[0] ?? [],
    tools: new Set(of("tool").flat()),
    nodeVersion: one("node"),
    systemd: one("systemd") === "yes",
    program: one("program"),
    accounts: new Map(of("account").map(([name = "", shell = "", ...groups]) => [name, { shell, groups }])),
    paths: named("path", (index) => paths[index], readPath),
    publicKeys: named(
      "public",
      (index) => desired.keys[index]?.path,
      ([encoded]) => text(encoded),
    ),
    authorizedKeys: named(
      "keys",
      (index) => granted[index],
      ([encoded]) => text(encoded),
    ),
    knownHosts: new Set(of("known").map(([index]) => Number(index))),
    knownHostsFiles: new Map(of("hosts").map(([index, encoded]) => [Number(index), text(encoded)])),
    scans,
    toRestart: new Set(of("restart").flat()),
    enabled: new Set(of("enabled").flat()),
    active: new Set(of("active").flat()),
  };
}

function readPath([kind, owner = "", group = "", mode = "", sha256 = ""]: string[]): PathFact {
  if (kind === "directory") return { kind, owner, group, mode };
  if (kind === "file") return { kind, owner, group, mode, sha256 };
  return { kind: kind === "absent" || kind === "link" ? kind : "other" };
}

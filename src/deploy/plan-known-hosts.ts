import { createHash } from "node:crypto";
import { knownHostName, type DesiredHost } from "./desired.ts";
import type { HostFacts, ScannedKey } from "./facts.ts";
import type { Obstacle, PartialPlan, PlanContext, Step } from "./plan-step.ts";

/** As `ssh-keygen -l` shows it. */
export function fingerprintOf({ blob }: ScannedKey): string {
  const digest = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** Host keys that were scanned and that nobody has confirmed yet. */
export function unconfirmedKeys(
  { knownHosts }: DesiredHost,
  { scans }: HostFacts,
  accepted: ReadonlySet<string>,
): { readonly name: string; readonly keys: readonly ScannedKey[] }[] {
  return knownHosts.flatMap((known, index) => {
    const keys = scans.get(index) ?? [];
    return keys.length === 0 || keys.some((key) => accepted.has(fingerprintOf(key)))
      ? []
      : [{ name: knownHostName(known), keys }];
  });
}

/**
 * Adds the keys of hosts to known_hosts, those alone whose fingerprint was confirmed: a scan may have been answered by
 * anybody.
 */
export function planKnownHosts(desired: DesiredHost, facts: HostFacts, { accepted }: PlanContext): PartialPlan {
  const obstacles: Obstacle[] = [];
  const files = new Map<string, { text: string; lines: string[]; account: string; file: string | undefined }>();
  for (const [index, known] of desired.knownHosts.entries()) {
    if (facts.knownHosts.has(index)) continue;
    const name = knownHostName(known);
    const keys = facts.scans.get(index) ?? [];
    const confirmed = keys.filter((key) => accepted.has(fingerprintOf(key)));
    if (confirmed.length === 0) {
      const shown = keys.map((key) => `\n      ${fingerprintOf(key)} ${key.type}`).join("");
      const what =
        keys.length === 0
          ? `known_hosts of ${known.account}: ${name} does not answer a scan`
          : `known_hosts of ${known.account}: ${name} shows a key that nobody has confirmed (--accept-fingerprint):${shown}`;
      obstacles.push({ phase: "connect", what });
      continue;
    }
    const place = `${known.account} ${known.file ?? ""}`;
    const before = facts.knownHostsFiles.get(index) ?? "";
    const whole = before === "" || before.endsWith("\n") ? before : `${before}\n`;
    const file = files.get(place) ?? { text: whole, lines: [], account: known.account, file: known.file };
    for (const key of confirmed) {
      file.text += `${name} ${key.type} ${key.blob}\n`;
      file.lines.push(`${name} ${fingerprintOf(key)} ${key.type}`);
    }
    files.set(place, file);
  }
  const steps = [...files.values()].map(({ text, lines, account, file }): Step => {
    const what = `${file ?? "known_hosts"} of ${account}:\n      ${lines.join("\n      ")}`;
    const call = ["rd_do_ssh_file", account, file ?? "", "known_hosts"] as const;
    return { phase: "connect", sign: "+", what, call, input: Buffer.from(text, "utf8") };
  });
  return { steps, obstacles };
}

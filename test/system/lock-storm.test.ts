import { setMaxListeners } from "node:events";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { LockTransport } from "../../src/lock/transport/lock-transport.ts";
import { claimOf, type LockWorld } from "../contract/lock-transport.contract.ts";
import { openLocalWorld, openSftpWorld, openSshWorld } from "../support/lock-worlds.ts";
import { endpointOf } from "../support/ssh-endpoint.ts";
import { startSshd, type TestSshd } from "../support/sshd.ts";

const never = new AbortController().signal;
// Many listen to it at the same time.
setMaxListeners(0, never);
const contenders = 20;
const rounds = Number(process.env["STORM_ROUNDS"] ?? 25);
const deadToken = "dead-owner-token-0123456";

let shell: TestSshd;
let withoutLinks: TestSshd;
beforeAll(async () => {
  shell = await startSshd();
  withoutLinks = await startSshd({ config: ["ForceCommand internal-sftp -P hardlink"] });
});
afterAll(async () => void (await Promise.all([shell, withoutLinks].map((sshd) => sshd.stop()))));

const ways: Record<string, () => Promise<LockWorld>> = {
  local: () => openLocalWorld(),
  ssh: () => openSshWorld(endpointOf(shell)),
  "the ssh client": () => openSshWorld(endpointOf(shell, { transport: "openssh" })),
  sftp: () => openSftpWorld(endpointOf(shell)),
  "sftp without hard links": () => openSftpWorld(endpointOf(withoutLinks)),
};

async function openStorm(way: string) {
  const world = await ways[way]!();
  onTestFinished(() => world.close());
  const transports = await Promise.all(Array.from({ length: contenders }, () => world.newTransport()));
  // Logged in before the storm, so that all arrive together.
  await Promise.all(transports.map((transport) => transport.check([world.path("warm")], never)));
  return { world, transports };
}
const tokenOf = (round: number, index: number) => `round-${round}-contender-${index}-`.padEnd(24, "0");
/** What was answered; an answer that nobody expects says why it was given, for whoever reads the failure. */
const inWords = (answer: { readonly kind: string; readonly detail?: string } | undefined) =>
  answer?.detail === undefined ? String(answer?.kind) : `${answer.kind}: ${answer.detail}`;
const take = async (transport: LockTransport, path: string, token: string) =>
  inWords((await transport.acquire({ claims: [claimOf(path, token)], thenCheck: [] }, never)).claims[0]);

describe(`${contenders} that come at the same moment, ${rounds} times`, () => {
  it.each(Object.keys(ways))("have one winner each time, whose lock is whole (%s)", async (way) => {
    const { world, transports } = await openStorm(way);
    for (let round = 1; round <= rounds; round += 1) {
      const path = world.path(`round-${round}.lock`);
      const kinds = await Promise.all(
        transports.map((transport, index) => take(transport, path, tokenOf(round, index))),
      );
      const winner = kinds.indexOf("acquired");
      expect({ round, kinds: kinds.toSorted((a, b) => a.localeCompare(b)) }).toEqual({
        round,
        kinds: ["acquired", ...Array.from({ length: contenders - 1 }, () => "held")],
      });
      const token = tokenOf(round, winner);
      expect(await world.read(path)).toBe(claimOf(path, token).content);
      // All of them give it back at once: only its owner can.
      const given = await Promise.all(
        transports.map(async (transport, index) =>
          inWords((await transport.release([{ path, token: tokenOf(round, index) }], never))[0]),
        ),
      );
      expect(given[winner]).toBe("released");
      // Whoever comes before the winner finds the winner's lock, who comes later finds nothing.
      const losers = given.filter((_, index) => index !== winner);
      expect({ round, losers: losers.filter((kind) => kind !== "lost" && kind !== "absent") }).toEqual({
        round,
        losers: [],
      });
      expect(await world.read(path)).toBeUndefined();
    }
    const left = (await world.list()).filter((name) => !name.endsWith(".guard") && !name.endsWith(".hold"));
    expect(left).toEqual([]);
  });

  it.each(["local", "ssh", "the ssh client"])(
    "break a dead owner's lock once, and one gets it, whom nobody harms (%s)",
    async (way) => {
      const { world, transports } = await openStorm(way);
      for (let round = 1; round <= rounds; round += 1) {
        const path = world.path(`round-${round}.lock`);
        await take(transports[0]!, path, deadToken);
        await world.makeOlder(path, 1000);
        const [seen] = await transports[0]!.check([path], never);
        const mtime = seen?.kind === "held" ? seen.found.mtime : Number.NaN;
        // Twice, so that some break when the successor is there already.
        const answers = await Promise.all(
          transports.map(async (transport, index) => {
            const stale = { path, token: deadToken, mtime };
            const first = inWords(await transport.break(stale, never));
            const claimed = await take(transport, path, tokenOf(round, index));
            const second = inWords(await transport.break(stale, never));
            return { broke: [first, second], claimed };
          }),
        );
        const broke = answers.flatMap((answer) => answer.broke);
        expect(broke.filter((kind) => kind === "broken")).toHaveLength(1);
        expect(new Set(broke)).toEqual(new Set(["broken", "changed", ...(broke.includes("absent") ? ["absent"] : [])]));
        const winners = answers.flatMap(({ claimed }, index) => (claimed === "acquired" ? [index] : []));
        expect({ round, winners: winners.length }).toEqual({ round, winners: 1 });
        const token = tokenOf(round, winners[0] ?? -1);
        expect(await world.read(path)).toBe(claimOf(path, token).content);
        expect(await readdir(dirname(path))).toContain(`round-${round}.lock.broken.${deadToken}`);
      }
    },
  );
});

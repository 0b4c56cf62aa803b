import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";

const program = join(import.meta.dirname, "..", "fixtures", "bin", "count-output.ts");

interface Counted {
  bytes: number;
  lines: number;
  kept: number;
  grownKiB: number;
}

async function count(script: string): Promise<Counted> {
  const small = "head -c 10000000 /dev/zero | tr '\\0' x";
  const { stdout } = await execa("node", ["--import", "tsx", program, small, script]);
  return JSON.parse(stdout) as Counted;
}

// Keeping the output would take 300,000 KiB or more; what is left is the garbage collector's room.
const flatKiB = 100 * 1024;

it("takes 300 MB of lines with flat memory and keeps the last MiB", async () => {
  const counted = await count("yes 'a line that is neither very long nor very short' | head -c 300000000");
  expect(counted.bytes).toBe(300_000_000);
  expect(counted.lines).toBe(6_250_000);
  expect(counted.kept).toBeGreaterThan(1_000_000);
  expect(counted.grownKiB).toBeLessThan(flatKiB);
});

it("takes one line of 300 MB with flat memory", async () => {
  const counted = await count("head -c 300000000 /dev/zero | tr '\\0' x");
  expect(counted.bytes).toBe(300_000_000);
  expect(counted.grownKiB).toBeLessThan(flatKiB);
});

import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

// What a schedule says depends on the zone; a test that is about another zone names it.
const common = {
  environment: "node",
  restoreMocks: true,
  env: { TZ: "UTC" },
  // A poll ends when what it waits for is there; a second, which is vitest's own, is nothing on a busy machine.
  expect: { poll: { timeout: 30_000 } },
} as const;

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/*.test.ts"],
          // No module keeps state that a test could change, so they need not all be loaded again for each file.
          isolate: false,
          // Some try thousands of inputs, on machines where much else runs.
          testTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: "end-to-end",
          include: ["test/end-to-end/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          ...common,
          name: "system",
          include: ["test/system/**/*.test.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});

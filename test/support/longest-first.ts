import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Each takes minutes; one of them begun last would run on alone when everything else is done. */
const longest = [
  "chaos.test.ts",
  "chaos-trials.test.ts",
  "chaos-faults.test.ts",
  "chaos-kills.test.ts",
  "lock-fault-sweep.test.ts",
  "watch-kill.test.ts",
  "change-tracking-kills.test.ts",
  "csync2-watch.test.ts",
  "model.test.ts",
  "watch-storms.test.ts",
  "package-deb.test.ts",
];

/** The longest files first, the others as vitest orders them; a fresh clone has no durations to go by. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/test/system/${name}`));
      return index < 0 ? longest.length : index;
    };
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
